"""`reprobuild builder add`, `list`, `check`, `remove` against a machine that is reached by a real ssh."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fake_gpu.build import H100, build_fake_driver
from tests.integration.conftest import World
from tests.integration.hosts import Host, Lab, lab

pytestmark = pytest.mark.integration
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@pytest.fixture(scope="module")
def a_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with lab(tmp_path_factory.mktemp("lab") / "lab") as made:
        yield made


@pytest.fixture(scope="module")
def host(a_lab: Lab) -> Host:
    return a_lab.host("gpu1", ("big-parallel",))


@pytest.fixture
def client(a_lab: Lab, host: Host, world: World, tmp_path: Path) -> Iterator[World]:
    """A machine beside the host that knows no builder; the host is as it was at first."""
    host.configure(system_features="big-parallel", pre_build_hook="", sandbox="true")
    host.start_sshd()
    a_lab.know(host)
    made = a_lab.world(world)
    made.home = tmp_path / "home"
    made.home.mkdir()
    yield made
    (host.folder / "gpu.txt").unlink(missing_ok=True)


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_fake_driver(tmp_path_factory.mktemp("driver"))


def give_gpu(host: Host, driver: Path) -> None:
    """A fake driver on the host: it stands in for hardware."""
    gpu = host.folder / "gpu.txt"
    gpu.write_text(H100)
    host.start_sshd(path=f'{PATH}" "LD_LIBRARY_PATH={driver}" "REPROBUILD_FAKE_GPU={gpu}')


def states(document: dict[str, Any]) -> dict[str, str]:
    (builder,) = document["builders"]
    return {finding["name"]: finding["state"] for finding in builder["findings"]}


def found(document: dict[str, Any], name: str) -> str:
    (builder,) = document["builders"]
    return next(str(finding["found"]) for finding in builder["findings"] if finding["name"] == name)


def machines(client: World) -> Path:
    return client.home / ".config/reprobuild/machines"


def test_add_asks_the_builder_and_check_finds_it_as_claimed(
    client: World, host: Host, tmp_path: Path
) -> None:
    added = client.reprobuild("builder", "add", host.uri, cwd=tmp_path)
    fields = added.stdout.split()
    assert fields[0] == host.uri and "x86_64-linux" in fields[1].split(",")
    assert fields[2:] == ["-", "2", "1", "big-parallel"]
    assert machines(client).read_text() == added.stdout
    assert f"gpu1     {host.uri}" in client.reprobuild("builder", "list", cwd=tmp_path).stdout
    document = client.json("builder", "check", cwd=tmp_path)
    assert document["ok"] and set(states(document).values()) == {"ok"}
    assert {"connection", "nix", "store", "hardware", "sandbox", "trust", "disk", "clock"} < set(
        states(document)
    )


def test_a_gpu_is_claimed_as_measured_and_kept_for_those_who_ask(
    client: World, host: Host, driver: Path, tmp_path: Path
) -> None:
    give_gpu(host, driver)
    added = client.json("builder", "add", "root@gpu1", cwd=tmp_path)
    assert (added["address"], added["mandatory"], added["jobs"]) == (host.uri, ["cuda"], 1)
    assert {"gpu-h100", "cuda-sm-90", "nvidia-driver-580", "big-parallel"} <= set(added["features"])
    assert "run `reprobuild builder setup` there" in added["notes"][0]
    document = client.json("builder", "check", "gpu1", cwd=tmp_path, status=1)
    assert (states(document)["hardware"], states(document)["system features"]) == ("ok", "failed")
    assert "none: builds there do not see the GPU" in found(document, "gpu hook")

    hook = host.folder / "hook"
    hook.write_text("#!/bin/sh\n")
    hook.chmod(0o755)
    offered = " ".join([*added["features"], "cuda"])
    host.configure(system_features=offered, pre_build_hook=str(hook))
    document = client.json("builder", "check", "gpu1", cwd=tmp_path)
    assert found(document, "gpu hook") == str(hook)
    assert set(states(document).values()) == {"ok"}


def test_a_way_there_that_carries_too_little_is_found_out(
    client: World, a_lab: Lab, host: Host, tmp_path: Path
) -> None:
    client.reprobuild("builder", "add", host.uri, cwd=tmp_path)
    a_lab.shape(host, mbit_per_s=40)
    try:
        document = client.json("builder", "check", "--minimum-mbit", "80", cwd=tmp_path, status=1)
        assert states(document)["link"] == "failed"
        measured = float(found(document, "link").split()[0])
        assert 10 < measured < 50, measured
        document = client.json("builder", "check", "--minimum-mbit", "5", cwd=tmp_path)
        assert states(document)["link"] == "ok"
    finally:
        a_lab.shape(host, mbit_per_s=10_000)


def test_a_gpu_that_is_claimed_and_not_there_is_found_out(client: World, host: Host, tmp_path: Path) -> None:
    client.reprobuild("builder", "add", host.uri, "--feature", "cuda,gpu-h100,new-cpu", cwd=tmp_path)
    document = client.json("builder", "check", cwd=tmp_path, status=1)
    assert found(document, "hardware") == "claimed, and not measured there: cuda, gpu-h100"
    assert found(document, "system features").endswith("not in its nix.conf: cuda, gpu-h100, new-cpu")
    told = client.reprobuild("builder", "check", cwd=tmp_path, status=1)
    assert "there: `reprobuild builder setup`, and `extra-system-features = new-cpu`" in told.stderr


def test_a_builder_that_does_not_isolate_is_found_out(client: World, host: Host, tmp_path: Path) -> None:
    host.configure(sandbox="false")
    client.reprobuild("builder", "add", host.uri, cwd=tmp_path)
    document = client.json("builder", "check", cwd=tmp_path, status=1)
    assert found(document, "sandbox").startswith("builds are not isolated")


def refusal(client: World, host: Host, tmp_path: Path) -> str:
    client.reprobuild("builder", "add", host.uri, "--no-probe", cwd=tmp_path)
    document = client.json("builder", "check", cwd=tmp_path, status=1)
    assert states(document) == {"connection": "failed"}
    return found(document, "connection")


def test_unreachable(client: World, host: Host, tmp_path: Path) -> None:
    host.stop_sshd()
    assert refusal(client, host, tmp_path).startswith("it cannot be reached")
    added = client.reprobuild("builder", "add", host.uri, cwd=tmp_path)
    assert "not asked what it has: builder gpu1: it cannot be reached" in added.stderr
    client.reprobuild("builder", "add", host.uri, "--probe", cwd=tmp_path, status=3)


def test_a_refused_key(client: World, host: Host, tmp_path: Path) -> None:
    (tmp_path / "nobody").write_text("")
    host.start_sshd(authorized=tmp_path / "nobody")
    assert refusal(client, host, tmp_path).startswith("it refused our key")


def test_another_host_key(client: World, host: Host, tmp_path: Path) -> None:
    host.new_host_key()
    host.start_sshd()
    assert refusal(client, host, tmp_path).startswith("its host key is not the one that we know")


def test_no_nix_on_the_other_side(client: World, host: Host, tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("sh", "date", "id", "python3", "mktemp", "cat", "rm"):
        (programs / name).symlink_to(f"/usr/bin/{name}")
    host.start_sshd(path=str(programs))
    assert refusal(client, host, tmp_path).startswith("commands that ssh runs there find no Nix")


def test_a_nix_that_is_too_old(client: World, host: Host, tmp_path: Path) -> None:
    """A stand-in that says so; everything else is the real one."""
    programs = tmp_path / "old"
    programs.mkdir()
    (programs / "nix-store").write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo "nix-store (Nix) 2.3.16" || exec /usr/bin/nix-store "$@"\n'
    )
    (programs / "nix-store").chmod(0o755)
    host.start_sshd(path=f"{programs}:{PATH}")
    client.reprobuild("builder", "add", host.uri, "--no-probe", cwd=tmp_path)
    document = client.json("builder", "check", cwd=tmp_path, status=1)
    assert found(document, "nix") == "version 2.3.16" and "sandbox" not in states(document)


def test_a_key_and_a_host_key_of_its_own(client: World, a_lab: Lab, host: Host, tmp_path: Path) -> None:
    """Nobody has stored them: they come from the line alone."""
    config = tmp_path / "ssh_config"
    config.write_text(f"Host gpu1\n  HostName {host.address}\n  HostKeyAlias gpu1\n")
    client.variables = {"NIX_SSHOPTS": f"-F {config}"}
    keys = ("--ssh-key", str(a_lab.folder / "client_key"), "--host-key", f"{host.key}.pub")
    added = client.json("builder", "add", host.uri, *keys, cwd=tmp_path)
    assert base64.b64decode(added["host_key"]).decode() in Path(f"{host.key}.pub").read_text()
    assert set(states(client.json("builder", "check", cwd=tmp_path)).values()) == {"ok"}


def test_names_are_completed(client: World, host: Host, tmp_path: Path) -> None:
    client.reprobuild("builder", "add", host.uri, "--no-probe", cwd=tmp_path)
    words = {
        "COMP_WORDS": "reprobuild builder check g",
        "COMP_CWORD": "3",
        "_REPROBUILD_COMPLETE": "complete_bash",
    }
    assert client.reprobuild(cwd=tmp_path, env=words, status=None).stdout.split() == ["gpu1"]


def test_remove_takes_one_line_out(client: World, host: Host, tmp_path: Path) -> None:
    machines(client).parent.mkdir(parents=True)
    machines(client).write_text("# ours\nother\n")
    client.reprobuild("builder", "add", host.uri, "--no-probe", cwd=tmp_path)
    assert client.reprobuild("builder", "remove", "gpu1", cwd=tmp_path).stdout == f"{host.uri}\n"
    assert machines(client).read_text() == "# ours\nother\n"
