"""`reprobuild builder probe`, and the probe as one file, on a fake driver (tests/fake_gpu)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from tests.fake_gpu.build import H100, MIG_A100, build_fake_driver

from reprobuild.adapters.hardware_probe import read_profile
from reprobuild.adapters.probe_zipapp import REMOTE_COMMAND, probe_zipapp
from reprobuild.core.builder_lines import offered_machine
from reprobuild.core.schemas import hardware_schema
from reprobuild.errors import ToolFailedError


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_fake_driver(tmp_path_factory.mktemp("driver"))


@pytest.fixture
def h100(driver: Path, tmp_path: Path) -> dict[str, str]:
    """The environment of a machine with one."""
    (tmp_path / "gpu.txt").write_text(H100)
    fake = {"LD_LIBRARY_PATH": str(driver), "REPROBUILD_FAKE_GPU": str(tmp_path / "gpu.txt")}
    return {**os.environ, **fake}


def run(arguments: list[str], env: dict[str, str], **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "reprobuild", "builder", "probe", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def test_json_is_the_published_profile(h100: dict[str, str]) -> None:
    document = json.loads(run(["--json"], h100).stdout)
    jsonschema.Draft202012Validator(hardware_schema()).validate(document)
    assert document["schema"] == "reprobuild.hardware-profile/1"
    assert document["features"][:3] == ["cuda", "cuda-sm-90", "gpu-h100"]


def test_the_lines_are_ready_to_be_used(h100: dict[str, str]) -> None:
    conf = run(["--nix-conf"], h100).stdout
    assert conf.startswith("extra-system-features = cuda cuda-sm-90 gpu-h100 ") and conf.count("\n") == 1
    uri, systems, key, jobs, speed, supported, mandatory = run(["--machines-line"], h100).stdout.split()
    assert uri.startswith("ssh-ng://")
    assert systems.split(",")[0] == "x86_64-linux"
    assert (key, jobs, speed, mandatory) == ("-", "1", "1", "cuda")
    assert "gpu-h100" in supported.split(",") and "cuda" not in supported.split(",")


def test_people_see_the_gpu_and_the_lines(h100: dict[str, str]) -> None:
    shown = run([], h100).stdout
    assert "NVIDIA H100 80GB HBM3, 85.5 GB, compute capability 9.0, 132 SMs of 2048 threads, ECC on" in shown
    assert "driver  580.65.06, runs CUDA 13.0" in shown
    assert "\nfeatures: cuda cuda-sm-90 " in shown and "\nnix.conf: extra-system-features = " in shown


def test_it_works_without_nix_and_says_that_there_is_no_gpu(h100: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "gpu.txt").write_text("init 9")
    done = run([], {**h100, "PATH": "/nonexistent"})
    assert done.returncode == 0
    assert "features:" not in done.stdout
    assert "note: no usable GPU here: NVML does not start: " in done.stderr


def test_two_answers_at_once_are_refused(h100: dict[str, str]) -> None:
    done = run(["--nix-conf", "--json"], h100)
    assert done.returncode == 2
    assert "--json and --nix-conf: one answer at a time" in done.stdout


def test_one_file_measures_where_only_python_is(h100: dict[str, str], tmp_path: Path) -> None:
    """As over ssh: the file comes on standard input, and neither our packages nor pynvml are there."""
    bare = tmp_path / "bin"
    bare.mkdir()
    (bare / "python3").write_text(f'#!/bin/sh\nexec {sys._base_executable} -I -S "$@"\n')  # type: ignore[attr-defined]
    (bare / "python3").chmod(0o755)
    env = {**h100, "PATH": f"{bare}:/usr/bin:/bin", "TMPDIR": str(tmp_path)}
    before = set(tmp_path.iterdir())
    done = subprocess.run(
        ["sh", "-c", REMOTE_COMMAND], input=probe_zipapp(), env=env, capture_output=True, check=True
    )
    profile = read_profile(done.stdout.decode(), "there")
    assert profile.features[:2] == ("cuda", "cuda-sm-90")
    assert set(tmp_path.iterdir()) == before
    assert probe_zipapp() == probe_zipapp()


def test_levels_of_the_processor_become_systems(h100: dict[str, str]) -> None:
    """A stage of a portable model is built on x86_64-v3-linux."""
    profile = read_profile(run(["--json"], h100).stdout, "here")
    known = profile.model_copy(update={"cpu": profile.cpu.model_copy(update={"isa_level": "x86-64-v3"})})
    levels = tuple(f"x86_64-v{level}-linux" for level in (1, 2, 3))
    assert offered_machine(known).systems == ("x86_64-linux", *levels)
    other = known.model_copy(update={"features": ()})
    assert not offered_machine(other).features


def test_slices_are_shown(h100: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "gpu.txt").write_text(MIG_A100)
    assert "MIG 1g.5gb, 1g.5gb" in run([], h100).stdout


def test_what_is_no_profile_is_refused() -> None:
    with pytest.raises(ToolFailedError, match="the hardware probe on gpu1 printed no hardware profile"):
        read_profile("bash: python3: command not found", "on gpu1")
