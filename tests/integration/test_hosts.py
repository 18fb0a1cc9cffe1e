"""The machines that remote tests build on are what those tests take them for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.conftest import World
from tests.integration.hosts import Lab, lab

pytestmark = pytest.mark.integration


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Lab]:
    with lab(tmp_path / "lab") as made:
        made.host("cpu")
        made.host("gpu", ["cuda", "gpu-h100"])
        yield made


def test_each_host_has_a_store_and_an_sshd_of_its_own(two: Lab, world: World, tmp_path: Path) -> None:
    client = two.world(world)
    cpu, gpu = two.hosts["cpu"], two.hosts["gpu"]
    (tmp_path / "file").write_text("content")
    path = client.run(["nix-store", "--add", str(tmp_path / "file")], cwd=tmp_path).stdout.strip()
    options = ["--extra-experimental-features", "nix-command"]
    done = client.run(["nix", *options, "copy", "--to", gpu.uri, path], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert gpu.valid(path) and not cpu.valid(path)
    assert gpu.file(path).read_text() == "content"


def test_a_host_says_no_with_another_key_and_nothing_with_its_cable_out(two: Lab) -> None:
    gpu = two.hosts["gpu"]
    assert two.ssh(gpu, "nix-store", "--version").returncode == 0
    gpu.start_sshd(authorized=gpu.key.with_suffix(".pub"))
    assert "Permission denied" in two.ssh(gpu, "true").stderr
    gpu.new_host_key()
    gpu.start_sshd()
    assert "REMOTE HOST IDENTIFICATION HAS CHANGED" in two.ssh(gpu, "true").stderr
    two.know(gpu)
    assert two.ssh(gpu, "true").returncode == 0
    gpu.unplug()
    assert "timed out" in two.ssh(gpu, "true").stderr
    gpu.plug_in()
    assert two.ssh(gpu, "true").returncode == 0


def test_a_host_without_nix_and_one_with_a_small_disk(tmp_path: Path) -> None:
    with lab(tmp_path / "lab") as made:
        small = made.host("small", disk_mib=3)
        full = small.run(["dd", "if=/dev/zero", "of=/nix/file", "bs=1M", "count=4"], status=None)
        assert "No space left" in full.stderr
        small.start_sshd(path="/nowhere")
        assert made.ssh(small, "nix-store", "--version").returncode == 127
