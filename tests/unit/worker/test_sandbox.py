"""Stages run in Nix's sandbox or not at all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from reprobuild_worker.errors import SandboxError
from reprobuild_worker.sandbox import check_sandbox, network_interfaces, private_folders

PYTHON = Path(__file__).parents[3] / "python"


@pytest.mark.parametrize("top", ["/build", "/build/nix-build-digits.drv-0"])
def test_the_sandbox_is_accepted(top):
    check_sandbox({"NIX_BUILD_TOP": top}, ["lo"])


def test_without_nix_it_is_refused():
    with pytest.raises(SandboxError, match="NIX_BUILD_TOP is not set"):
        check_sandbox({}, ["lo"])


@pytest.mark.parametrize("top", ["/tmp/nix-build-digits.drv-0", "/builds", "build"])
def test_an_unsandboxed_build_is_refused(top):
    with pytest.raises(SandboxError, match="the build folder is"):
        check_sandbox({"NIX_BUILD_TOP": top}, ["lo"])


def test_a_network_is_refused_by_name():
    with pytest.raises(SandboxError, match="eth0"):
        check_sandbox({"NIX_BUILD_TOP": "/build"}, ["lo", "eth0"])


def test_interfaces_are_read_from_the_kernels_table(tmp_path):
    table = tmp_path / "dev"
    table.write_text("Inter-|   Receive\n face |bytes\n    lo: 1 2 3\n  eth0: 4 5 6\n")
    assert network_interfaces(table) == ["lo", "eth0"]


@pytest.mark.parametrize("duty", ["stage", "model"])
def test_the_command_refuses_here_in_one_clear_line(duty):
    environment = {"PYTHONPATH": str(PYTHON), "PATH": os.environ["PATH"], "NIX_BUILD_TOP": "/tmp/elsewhere"}
    command = [sys.executable, "-m", "reprobuild_worker", duty]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: not in Nix's sandbox: the build folder is /tmp/elsewhere")
    assert "Traceback" not in done.stderr


def test_what_varies_between_builders_is_dropped(tmp_path):
    environment = {
        "NIX_BUILD_CORES": "2",
        "NIX_STORE": "/nix/store",
        "TERM": "xterm",
        "TZ": "UTC",
        "HOME": "/root",
    }
    before = os.umask(0o022)
    try:
        work = private_folders(environment, tmp_path)
    finally:
        os.umask(before)
    assert work.is_dir()
    assert environment["TZ"] == "UTC"
    assert Path(environment["HOME"]).parent == Path(environment["TMPDIR"]).parent == tmp_path
    assert not [name for name in environment if name.startswith("NIX_") or name == "TERM"]
