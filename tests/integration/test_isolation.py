"""A stage gets what it declares, and nothing else (rows A9, B1)."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest
from tests.integration.conftest import World

pytestmark = pytest.mark.integration

HOST_FILES = ("/etc/shadow", "/etc/hostname", "/usr/bin", "/bin/sh", "/root", "/home", "/sys/class")
PROBE = """
import json, os, pathlib, pwd, socket
from reprobuild_worker import stage


def reached(host, port):
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError as error:
        return False
    return True


def readable(path):
    try:
        return os.listdir(path) if os.path.isdir(path) else len(open(path, "rb").read())
    except OSError:
        return None


stage.save_json("numbers.json", {
    "lr": 0.1,
    "network": [host for host in ("1.1.1.1", "127.0.0.1") if reached(host, PORT)],
    "interfaces": sorted(name for _, name in socket.if_nameindex()),
    "home": readable(HOME),
    "host_files": [p for p in HOST_FILES if readable(p)],
    "users": sorted(user.pw_name for user in pwd.getpwall()),
    "other_store_paths": [p for p in OTHERS if os.path.exists(p)],
    "environment": sorted(os.environ),
    "secret": [value for value in os.environ.values() if "canary" in value],
})
"""


def test_a_probe_reaches_no_network_home_host_file_or_undeclared_store_path(world: World, tiny: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        others = [
            f"/nix/store/{entry.name}"
            for entry in (world.nix / "store").iterdir()
            if "evaluate" in entry.name
        ]
        values = {
            "PORT": server.getsockname()[1],
            "HOME": str(world.home),
            "HOST_FILES": [*HOST_FILES, str(tiny)],
            "OTHERS": [*others, "/nix/var/nix/db"],
        }
        (tiny / "train.py").write_text("".join(f"{k} = {v!r}\n" for k, v in values.items()) + PROBE)
        done = world.json(
            "nix",
            "build",
            "--stage",
            "train",
            cwd=tiny,
            env={"CANARY": "canary-7f3a", "SSH_AUTH_SOCK": "/tmp/canary"},
        )
    found = json.loads((world.file(done["outputs"]["train"]) / "numbers.json").read_text())
    assert found["network"] == []
    assert found["interfaces"] == ["lo"]
    assert found["home"] is None
    assert found["host_files"] == []
    assert set(found["users"]) <= {"root", "nixbld", "nobody"}
    assert found["other_store_paths"] == []
    assert found["secret"] == []
    assert not {"CANARY", "SSH_AUTH_SOCK", "USER", "NIX_BUILD_CORES"} & set(found["environment"])


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
    built = [
        world.json("nix", "build", "--no-link", cwd=p, env=e)["artifact_id"]
        for p, e in ((tiny, {}), (moved, odd))
    ]
    assert built[0] == built[1]


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
