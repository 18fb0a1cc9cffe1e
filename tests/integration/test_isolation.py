"""A stage gets what it declares, and nothing else (rows A9, B1)."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest
from tests.integration.conftest import REPOSITORY, World
from tests.integration.stranger import as_user

from reprobuild.domain.lock import Source

pytestmark = pytest.mark.integration

# All that a stage sees of a machine. Nothing here depends on the host; /dev/kvm is there where the host has it.
ROOT = {"build", "dev", "etc", "nix", "proc", "tmp"}
FOLDERS = {
    "/etc": ["group", "hosts", "passwd"],
    "/tmp": [],
    "/build": ["home", "tmp", "work"],
    "/nix": ["store"],
}
DEVICES = {
    "fd",
    "full",
    "null",
    "ptmx",
    "pts",
    "random",
    "shm",
    "stderr",
    "stdin",
    "stdout",
    "tty",
    "urandom",
    "zero",
}
HOST_FILES = (
    "/etc/shadow",
    "/etc/hostname",
    "/etc/resolv.conf",
    "/usr",
    "/bin/sh",
    "/root",
    "/home",
    "/sys",
    "/var",
)

# Every variable of a stage: of the derivation, of numerics, and the worker's own folders.
VARIABLES = {
    *("builder", "name", "out", "reprobuildStage", "requiredSystemFeatures", "system"),
    *("PATH", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED", "PYTHONTZPATH"),
    *("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"),
    *("OMP_DYNAMIC", "MKL_DYNAMIC", "CUBLAS_WORKSPACE_CONFIG", "SOURCE_DATE_EPOCH", "TZ", "LC_ALL"),
    *("HOME", "TMPDIR", "TMP", "TEMP"),
}

PROBE = """
import json, os, pathlib, pwd, socket
from reprobuild_worker import stage


def reached(family, address):
    try:
        with socket.socket(family, socket.SOCK_STREAM) as client:
            client.settimeout(2)
            client.connect(address)
    except OSError:
        return False
    return True


def resolved(name):
    try:
        return bool(socket.getaddrinfo(name, 80))
    except OSError:
        return False


started_with = pathlib.Path("/proc/self/environ").read_text() + pathlib.Path("/proc/1/environ").read_text()
stage.save_json("numbers.json", {
    "lr": 0.1,
    "network": [address for address in TCP if reached(socket.AF_INET, tuple(address))],
    "host_socket": reached(socket.AF_UNIX, SOCKET),
    "resolved": resolved("localhost.localdomain") or resolved("example.org"),
    "interfaces": sorted(name for _, name in socket.if_nameindex()),
    "there": [path for path in ABSENT if os.path.lexists(path)],
    "root": os.listdir("/"),
    "folders": {path: sorted(os.listdir(path)) for path in FOLDERS},
    "devices": os.listdir("/dev"),
    "store": sorted(os.listdir("/nix/store")),
    "processes": [int(name) for name in os.listdir("/proc") if name.isdigit()],
    "me": os.getpid(),
    "users": sorted(user.pw_name for user in pwd.getpwall()),
    "environment": dict(os.environ),
    "canary": "canary" in started_with.lower(),
})
"""


def test_a_probe_reaches_no_network_home_host_file_or_undeclared_store_path(world: World, tiny: Path) -> None:
    others = undeclared_paths(world, tiny)
    canary = "canary-7f3a"
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_UNIX) as local,
    ):
        local.bind(f"\0{canary}-{os.getpid()}")
        local.listen()
        tcp = [("127.0.0.1", server.getsockname()[1]), ("1.1.1.1", 53)]
        absent = [
            *HOST_FILES,
            str(world.home),
            str(tiny),
            str(REPOSITORY),
            *others,
            "/nix/var",
            "/nix/store/.links",
        ]
        values = {"TCP": tcp, "SOCKET": local.getsockname(), "ABSENT": absent, "FOLDERS": list(FOLDERS)}
        # what the probe must not reach can be reached from here
        for family, address in ((socket.AF_INET, tcp[0]), (socket.AF_UNIX, local.getsockname())):
            with socket.socket(family) as client:
                client.connect(address)
        (tiny / "train.py").write_text("".join(f"{k} = {v!r}\n" for k, v in values.items()) + PROBE)
        secrets = dict.fromkeys(("CANARY", "SSH_AUTH_SOCK", "AWS_SECRET_ACCESS_KEY", "NIX_CANARY"), canary)
        outputs = world.json("nix", "build", "--stage", "train", cwd=tiny, env=secrets)["outputs"]
    found = json.loads((world.file(outputs["train"]) / "numbers.json").read_text())
    assert (found["network"], found["host_socket"], found["resolved"]) == ([], False, False)
    assert found["interfaces"] == ["lo"]
    assert found["there"] == []
    assert set(found["root"]) == ROOT
    assert found["folders"] == FOLDERS
    assert set(found["devices"]) - {"kvm"} == DEVICES
    assert found["processes"] == [found["me"]]
    assert found["users"] == ["nixbld", "nobody", "root"]
    assert set(found["environment"]) == VARIABLES
    assert canary not in json.dumps(found["environment"])
    assert not found["canary"]
    assert {name.partition("-")[2] for name in found["store"]} == {
        "base-debian-bookworm-python-3.11",
        "python-environment",
        "reprobuild-worker",
        "tiny-train",
        "tiny-train-source",
    }
    assert len(found["store"]) == 5


def undeclared_paths(world: World, project: Path) -> list[str]:
    """Paths that are in the store and that the stage does not declare: of its project, its base and another model."""
    built = world.json("nix", "build", cwd=project)["outputs"]
    evaluated = world.json("nix", "eval", cwd=project)["derivations"]
    sources = json.loads((project / "reprobuild.lock").read_text())["sources"]
    locked = [Source.model_validate_json(json.dumps(one)).store_path for one in sources]
    paths = [
        built["model"],
        evaluated["evaluate"]["out_path"],
        evaluated["train"]["out_path"],
        evaluated["train"]["drv_path"],
        *locked,
    ]
    assert len(locked) > 20
    assert [path for path in paths if not world.file(path).exists()] == []
    return paths


def test_time_zone_locale_home_user_folder_umask_and_hash_seed_change_nothing(
    world: World, tiny: Path, tmp_path: Path
) -> None:
    usual = world.json("nix", "eval", cwd=tiny)
    other_home = tmp_path / "another home"
    other_home.mkdir()
    moved = tmp_path / "somewhere else" / "entirely"
    moved.parent.mkdir()
    old_umask = os.umask(0o077)
    try:
        for file in sorted(tiny.iterdir(), reverse=True):
            moved.mkdir(exist_ok=True)
            (moved / file.name).write_bytes(file.read_bytes())
        odd = {
            "TZ": "Pacific/Kiritimati",
            "LC_ALL": "C",
            "LANG": "de_DE.ISO-8859-1",
            "HOME": str(other_home),
            "USER": "somebody",
            "LOGNAME": "somebody",
            "PYTHONHASHSEED": "12345",
            "SOURCE_DATE_EPOCH": "1",
        }
        varied = world.json("nix", "eval", cwd=moved, env=odd)
    finally:
        os.umask(old_umask)
    assert varied == usual
    # built here, built again there: the same bytes
    world.reprobuild("nix", "build", "--no-link", cwd=tiny)
    verdict = world.json("verify", cwd=moved, env=odd)
    assert {one["label"]: one["verdict"] for one in verdict["stages"]} == dict.fromkeys(
        ["train", "evaluate", "model"], "same bytes"
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user, which needs root")
def test_another_user_gets_the_same_derivations(world: World, tiny: Path) -> None:
    usual = world.json("nix", "eval", cwd=tiny)
    done = as_user(world, tiny, "true", "nix", "eval", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == usual


def test_builds_without_a_sandbox_are_refused_by_the_stage_itself(world: World, tiny: Path) -> None:
    evaluated = world.json("nix", "eval", "--set", "train.params.lr=0.31", cwd=tiny)
    drv_path = evaluated["derivations"]["train"]["drv_path"]
    done = world.run(
        ["nix-store", "--realise", drv_path],
        cwd=tiny,
        env={"NIX_CONFIG": "sandbox = false\nsubstituters =\nbuild-users-group ="},
    )
    assert done.returncode != 0
    assert "sandbox" in done.stderr
