"""What goes wrong with another machine is said plainly, loses nothing, and a second try succeeds."""

from __future__ import annotations

import getpass
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from tests.integration.conftest import World
from tests.integration.hosts import Host, Lab, lab

pytestmark = pytest.mark.integration

SLOW = """
import time
from reprobuild_worker import stage

for epoch in stage.epochs(20):
    time.sleep(0.5 if epoch > 2 else 0)
    stage.log(loss=1 / epoch)
    print("epoch", epoch)
stage.save_json("numbers.json", {"lr": stage.params.lr, "seed": stage.seed})
"""


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with lab(tmp_path_factory.mktemp("failures") / "lab") as made:
        made.host("far")
        yield made


@pytest.fixture
def far(net: Lab) -> Host:
    return net.hosts["far"]


@pytest.fixture
def client(net: Lab, world: World, tiny_lock: str) -> World:
    return net.world(world)


def refused(client: World, project: Path, host: Host, *options: str) -> str:
    """What is said to a build that cannot be tried."""
    done = client.reprobuild("nix", "build", "--builder", host.uri, *options, cwd=project, status=3)
    assert "Traceback" not in done.stderr
    return done.stderr


def test_each_way_not_to_connect_is_named_and_a_second_try_connects(
    client: World, net: Lab, far: Host, tiny: Path, tmp_path: Path
) -> None:
    far.unplug()
    assert "far: it cannot be reached" in refused(client, tiny, far)
    far.plug_in()
    far.stop_sshd()
    assert "Connection refused" in refused(client, tiny, far)
    far.start_sshd(authorized=far.key.with_suffix(".pub"))
    assert "far: it refused our key" in refused(client, tiny, far)
    far.new_host_key()
    far.start_sshd()
    assert "its host key is not the one that we know" in refused(client, tiny, far)
    net.know(far)
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    for tool in ("sh", "date", "id", "nproc", "cat"):
        (nothing / tool).symlink_to(f"/usr/bin/{tool}")
    far.start_sshd(path=str(nothing))
    assert "find no Nix" in refused(client, tiny, far)
    old = tmp_path / "old"
    old.mkdir()
    (old / "nix-store").write_text("#!/bin/sh\necho 'nix-store (Nix) 2.3.16'\n")
    (old / "nix-store").chmod(0o755)
    far.start_sshd(path=f"{old}:/usr/bin:/bin")
    said = refused(client, tiny, far)
    assert "2.8 or newer" in said and "2.3.16" in said
    far.start_sshd()
    client.reprobuild("nix", "build", "--builder", far.uri, "--no-link", "--stage", "train", cwd=tiny)


def start(client: World, project: Path, host: Host) -> subprocess.Popen[str]:
    """A build of a slow training, once it has come to its third epoch."""
    (project / "train.py").write_text(f"{SLOW}# {project.parent.name}\n")
    running = subprocess.Popen(
        client.command([sys.executable, "-m", "reprobuild", "nix", "build", "--builder", host.uri,
                        "--set", "train.params.lr=0.25"]),
        cwd=project, env=client.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert running.stderr is not None
    end = time.monotonic() + 200
    said = []
    for line in running.stderr:  # live: the training goes on while we read
        said.append(line)
        if "epoch 3" in line or "3/20" in line:
            assert any("train" in one and f"on {host.name}" in one for one in said), said
            assert host.processes("reprobuild_worker")
            return running
        assert time.monotonic() < end
    raise AssertionError(f"ended with {running.wait()} before it trained")


def second_try(client: World, project: Path, host: Host) -> None:
    """The same command succeeds, and goes on from what was finished."""
    done = client.json("nix", "build", "--builder", host.uri, "--set", "train.params.lr=0.25", cwd=project)
    assert done["built"] == ["train", "evaluate", "model"]


def gone(host: Host, part: str, timeout_s: float = 20) -> bool:
    end = time.monotonic() + timeout_s
    while host.processes(part):
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


def drop_connection(host: Host, running: subprocess.Popen[str]) -> None:
    host.stop_sshd()
    host.start_sshd()


def kill_training(host: Host, running: subprocess.Popen[str]) -> None:
    for pid in host.processes("reprobuild_worker"):
        os.kill(pid, signal.SIGKILL)


def interrupt(host: Host, running: subprocess.Popen[str]) -> None:
    running.send_signal(signal.SIGINT)


@pytest.mark.parametrize(
    ("how", "status", "words"),
    [
        (drop_connection, 3, "far: the connection broke"),
        (kill_training, 100, "train was killed"),
        (interrupt, 130, "nothing half-made is left"),
    ],
)
def test_ended_during_training(
    how: Callable[[Host, subprocess.Popen[str]], None],
    status: int,
    words: str,
    client: World,
    far: Host,
    tiny: Path,
) -> None:
    running = start(client, tiny, far)
    how(far, running)
    _, said = running.communicate(timeout=60)
    assert (running.returncode, words in said) == (status, True), said
    assert gone(far, "reprobuild_worker")
    second_try(client, tiny, far)


def test_a_machine_with_one_place_builds_for_one_at_a_time(
    client: World, far: Host, tiny: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(tiny, other)
    (other / "train.py").write_text((other / "train.py").read_text() + "\n# waits for its turn\n")
    planted = (
        "mkdir -p -m 777 /run/lock/reprobuild && cd /run/lock/reprobuild && echo kept >/run/kept"
        " && ln -sf /run/kept 1 && ln -sf /run/kept 1.who"
    )
    far.run(["sh", "-c", planted])  # any account there could
    far.configure(max_jobs="1")
    try:
        running = start(client, tiny, far)
        trains_s = time.time()  # for eight seconds more
        done = client.reprobuild("nix", "build", "--builder", far.uri, "--json", cwd=other)
        assert running.wait(timeout=60) == 0
    finally:
        far.configure(max_jobs="2")
    assert done.stderr.count(f"far is busy with builds of {getpass.getuser()}@") == 1
    assert far.run(["cat", "/run/kept"]).stdout == "kept\n"
    train = json.loads(Path(json.loads(done.stdout)["record"]).read_text())["outputs"][0]
    assert datetime.fromisoformat(train["started"]).timestamp() - trains_s > 6


def test_a_full_disk_is_told_from_a_failed_build(net: Lab, client: World, tiny: Path) -> None:
    small = net.host("small", disk_mib=24)
    (tiny / "train.py").write_text(
        (tiny / "train.py").read_text() + f"# {tiny}\n"
    )  # not built by another test
    assert "small: its disk is full" in refused(client, tiny, small)
    small.run(["mount", "-o", "remount,size=400m", "/nix"])
    client.reprobuild("nix", "build", "--builder", small.uri, cwd=tiny)
