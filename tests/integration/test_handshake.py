"""A stage with `gpu = true` in Nix's sandbox: it measures the machine first. The driver is a fake (tests/fake_gpu),
brought in by a pre-build-hook as a real one is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.fake_gpu.build import H100, build_fake_driver
from tests.integration.conftest import TINY_TRAIN, World, write_tiny

pytestmark = pytest.mark.integration

ON_GPU = """
[hardware]
accelerator = "nvidia"
gpu = "h100"
compute_capability = "9.0"

[driver]
minimum = "580.65.06"
branch = "580"
"""
FEATURES = "cuda gpu-h100 cuda-sm-90 nvidia-driver-580 nvidia-driver-branch-580"


@dataclass
class Machine:
    """What this machine claims in its nix.conf, and what a fake driver says of it."""

    folder: Path

    def environment(self, says: str | None, features: str = FEATURES) -> dict[str, str]:
        """The driver's answers; None: the hook opens nothing."""
        hook = self.folder / "hook"
        mounts = (
            ""
            if says is None
            else f"echo extra-sandbox-paths; echo /run/opengl-driver/lib={self.folder}/lib; echo"
        )
        hook.write_text(f"#!/bin/sh\n{mounts}\n")
        hook.chmod(0o755)
        (self.folder / "lib/fake-gpu.txt").write_text(says or "")
        lines = ("build-users-group =", f"extra-system-features = {features}", f"pre-build-hook = {hook}")
        return {"NIX_CONFIG": "\n".join(lines)}


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    folder = tmp_path_factory.mktemp("machine")
    build_fake_driver(folder / "lib")
    return Machine(folder)


@pytest.fixture(scope="module")
def gpu_lock(world: World, tiny_lock: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    project = tmp_path_factory.mktemp("gpu-lock") / "tiny"
    write_on_gpu(project, tiny_lock)
    world.reprobuild("lock", cwd=project)
    world.reprobuild("fetch", cwd=project)
    return (project / "reprobuild.lock").read_text()


def write_on_gpu(project: Path, lock: str) -> None:
    """The small project, with its training on a GPU."""
    write_tiny(project)
    spec = project / "reprobuild.toml"
    spec.write_text(spec.read_text().replace('run = "train.py"', 'run = "train.py"\ngpu = true') + ON_GPU)
    (project / "reprobuild.lock").write_text(lock)


@pytest.fixture
def on_gpu(gpu_lock: str, tmp_path: Path) -> Path:
    write_on_gpu(tmp_path / "on-gpu", gpu_lock)
    return tmp_path / "on-gpu"


def anew(project: Path) -> None:
    """Code that no test before has run: its stage is built and not reused."""
    (project / "train.py").write_text(TINY_TRAIN + f"\n# {project}\n")


def record(world: World, done: dict[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(Path(done["record"]).read_text())
    return {output["label"]: output for output in document["outputs"]}


def test_a_machine_that_fits_trains_and_the_record_holds_its_profile(
    world: World, machine: Machine, on_gpu: Path
) -> None:
    anew(on_gpu)
    done = world.json("nix", "build", cwd=on_gpu, env=machine.environment(H100))
    outputs = record(world, done)
    profile = outputs["train"]["hardware"]
    assert profile["schema"] == "reprobuild.hardware-profile/1"
    assert profile["driver"]["version"] == "580.65.06" and len(profile["driver"]["libraries_digest"]) == 64
    assert [gpu["multiprocessors"] for gpu in profile["gpus"]] == [132]
    assert set(FEATURES.split()) <= set(profile["features"])
    assert "hardware" not in outputs["evaluate"]  # on the CPU
    assert world.reprobuild(
        "verify", "--stage", "train", cwd=on_gpu, env=machine.environment(H100)
    ).stdout.endswith("verdict: same bytes\n")


@pytest.mark.parametrize(
    ("says", "said"),
    [
        (
            H100.replace("580.65.06", "580.40"),
            (
                "expected driver 580.65.06 or newer  reprobuild.toml, driver.minimum",
                "actual   driver 580.40 ",
            ),
        ),
        (
            H100.replace("capability 90", "capability 80"),
            ("expected 9.0 ", "reprobuild.toml, hardware.compute_capability", "actual   8.0 (GPU 0, "),
        ),
        (
            H100.replace("NVIDIA H100 80GB HBM3", "NVIDIA A100-SXM4-40GB"),
            ("expected h100 ", "reprobuild.toml, hardware.gpu", "actual   a100, a100-sxm4-40gb (NVIDIA A100"),
        ),
        (
            None,
            ("no usable GPU in this build", "no NVIDIA driver: libnvidia-ml.so.1", "never run on the CPU"),
        ),
    ],
)
def test_a_machine_that_claims_what_it_has_not_is_refused_before_user_code(
    world: World, machine: Machine, on_gpu: Path, says: str | None, said: tuple[str, ...]
) -> None:
    anew(on_gpu)
    (on_gpu / "train.py").write_text('print("user code ran")\n' + (on_gpu / "train.py").read_text())
    done = world.reprobuild("nix", "build", cwd=on_gpu, env=machine.environment(says), status=100)
    shown = " ".join(done.stderr.split())
    for text in said:
        assert " ".join(text.split()) in shown
    assert "user code ran" not in done.stderr
    failed = max(
        (world.home / ".local/state/reprobuild/records").glob("*-tiny-*"), key=lambda file: file.name
    )
    outputs = {output["label"]: output for output in json.loads(failed.read_text())["outputs"]}
    assert outputs["train"]["status"] == "failed"
    assert bool(outputs["train"]["hardware"]["gpus"]) is (says is not None)


def test_a_machine_that_does_not_claim_it_is_not_taken(world: World, machine: Machine, on_gpu: Path) -> None:
    anew(on_gpu)
    other = machine.environment(H100, features="cuda cuda-sm-80")
    done = world.reprobuild("nix", "build", cwd=on_gpu, env=other, status=3)
    assert "gpu-h100" in done.stderr


def test_stages_on_the_cpu_keep_their_derivations(world: World, tiny: Path, on_gpu: Path) -> None:
    """With the GPU beside them, and whatever the handshake and the probe are."""
    cpu, gpu = world.drv_paths(tiny), world.drv_paths(on_gpu)
    assert {label for label in cpu if cpu[label] == gpu[label]} == {"base", "environment"}
    for project in (tiny, on_gpu):
        with (project / "reprobuild.toml").open("a") as spec:
            spec.write('\n[stages.look]\nrun = "evaluate.py"\noutputs = ["metrics.json"]\n')
    assert world.drv_paths(tiny)["look"] == world.drv_paths(on_gpu)["look"]


def test_user_code_sees_no_tool_of_ours_but_the_worker(world: World, machine: Machine, on_gpu: Path) -> None:
    (on_gpu / "train.py").write_text(
        TINY_TRAIN + "\nimport importlib.util\nassert importlib.util.find_spec('pynvml') is None\n"
        "maps = open('/proc/self/maps').read()\nassert 'libcuda' not in maps and 'libnvidia' not in maps\n"
    )
    world.json("nix", "build", "--stage", "train", cwd=on_gpu, env=machine.environment(H100))
