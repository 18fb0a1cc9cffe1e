"""A stage with `gpu = true` runs on the machine that the spec asks for, or not at all. The driver is a fake
(tests/fake_gpu)."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pynvml
import pytest
from tests.fake_gpu.build import BROKEN, EIGHT_H100, H100, MIG_A100, build_fake_driver

from reprobuild_handshake.asked import Asked, asked
from reprobuild_handshake.compare import HardwareError, mismatches, refuse_other
from reprobuild_handshake.run_stage import unused_gpu
from reprobuild_worker.errors import ConfigError

PYTHON = Path(__file__).parents[2] / "python"
# what `python -m reprobuild_handshake stage` does, but for the sandbox check
CHILD = """
import sys
from reprobuild_handshake.run_stage import main
from reprobuild_worker.errors import WorkerError, print_error
try:
    sys.exit(main(check=lambda environment: None))
except WorkerError as error:
    print_error(error)
    sys.exit(1)
"""
# Says whether it ran, whether CUDA was started in its process, and which pynvml it would get.
CODE = """
import sys
from reprobuild_worker import stage
maps = open("/proc/self/maps").read()
stage.save_json("answer.json", {"cuda": "libcuda" in maps, "path": sys.path})
"""


def asks(**changes: Any) -> Asked:
    nothing = dict.fromkeys(("gpu", "compute_capability", "driver_minimum", "driver_branch"))
    always = {"accelerator": "nvidia", "driver_minimum_from": "driver.minimum", "nvml": ""}
    return Asked(**{**always, **nothing, **changes})


def machine(*names: str, driver: str = "580.65.06", capability: str = "9.0") -> dict[str, Any]:
    gpus = [
        {"index": i, "name": name, "compute_capability": capability, "mig_enabled": False, "mig_slices": []}
        for i, name in enumerate(names)
    ]
    return {
        "driver": {"version": driver},
        "gpus": gpus,
        "cuda_devices": len(gpus),
        "not_available": {},
    }


@pytest.mark.parametrize(
    "wanted",
    [
        asks(),
        asks(gpu="h100"),
        asks(gpu="h100-80gb-hbm3"),
        asks(compute_capability="9.0"),
        asks(driver_minimum="580.65.06", driver_branch="580"),
        asks(driver_minimum="580.65"),
        asks(driver_minimum="580"),
        asks(driver_minimum="575.99.99"),
    ],
)
def test_a_machine_that_fits_is_taken(wanted: Asked) -> None:
    refuse_other(wanted, machine("NVIDIA H100 80GB HBM3", "NVIDIA H100 80GB HBM3"), "train")


@pytest.mark.parametrize(
    ("wanted", "sides"),
    [
        (asks(gpu="a100"), ("hardware.gpu", "a100", "h100, h100-80gb-hbm3 (NVIDIA H100 80GB HBM3)")),
        (
            asks(compute_capability="8.0"),
            ("hardware.compute_capability", "8.0", "9.0 (GPU 0, NVIDIA H100 80GB HBM3)"),
        ),
        (
            asks(driver_minimum="580.65.07"),
            ("driver.minimum", "driver 580.65.07 or newer", "driver 580.65.06"),
        ),
        (asks(driver_minimum="580.105"), ("driver.minimum", "driver 580.105 or newer", "driver 580.65.06")),
        (
            asks(driver_minimum="590", driver_minimum_from="cuda.toolkit"),
            ("cuda.toolkit", "driver 590 or newer", "driver 580.65.06"),
        ),
        (asks(driver_branch="590"), ("driver.branch", "driver 590", "driver 580.65.06")),
    ],
)
def test_another_machine_is_refused_with_both_numbers(wanted: Asked, sides: tuple[str, str, str]) -> None:
    profile = machine("NVIDIA H100 80GB HBM3")
    (found,) = mismatches(wanted, profile)
    assert (found.key, found.expected, found.actual) == sides
    with pytest.raises(HardwareError) as caught:
        refuse_other(wanted, profile, "train")
    shown = str(caught.value)
    assert "stage train: this machine is not the one that the spec asks for" in shown
    assert f"reprobuild.toml, {sides[0]}\n" in shown and "measured in this build" in shown
    assert "\nhint: " in shown


def test_all_that_does_not_fit_is_named_at_once() -> None:
    wanted = asks(gpu="a100", compute_capability="8.0", driver_minimum="590.44", driver_branch="590")
    assert len(list(mismatches(wanted, machine("Tesla T4")))) == 4


def test_one_gpu_among_several_that_is_another_model_is_refused() -> None:
    mixed = machine("NVIDIA H100 80GB HBM3", "NVIDIA H100 PCIe")
    refuse_other(asks(gpu="h100"), mixed, "train")
    with pytest.raises(HardwareError, match="NVIDIA H100 PCIe"):
        refuse_other(asks(gpu="h100-80gb-hbm3"), mixed, "train")


def test_a_driver_that_does_not_say_its_version_is_refused() -> None:
    silent = machine("Tesla T4")
    silent["driver"]["version"] = None
    with pytest.raises(HardwareError, match="actual   driver unknown"):
        refuse_other(asks(driver_minimum="450"), silent, "train")


@pytest.mark.parametrize(
    "text", [None, "{", "[]", '{"schema": "reprobuild.stage-hardware/2"}', '{"schema": "x"}']
)
def test_a_stage_without_its_requirements_is_not_run(text: str | None) -> None:
    with pytest.raises(ConfigError, match="reprobuildHardware"):
        asked({} if text is None else {"reprobuildHardware": text})


RunOnGpu = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_fake_driver(tmp_path_factory.mktemp("driver"))


@pytest.fixture
def run_on_gpu(driver: Path, tmp_path: Path) -> RunOnGpu:
    """Run a stage as its derivation would, on a machine whose driver says this."""

    def run(says: str, code: str = CODE, **wanted: Any) -> subprocess.CompletedProcess[str]:
        source, build = tmp_path / "source", tmp_path / "build"
        source.mkdir()
        build.mkdir()
        (source / "train.py").write_text(code)
        (tmp_path / "gpu.txt").write_text(says)
        stage = {
            "schema": "reprobuild.stage/1",
            "name": "train",
            "run": "train.py",
            "source": str(source),
            "outputs": ["answer.json"],
        }
        document = {
            "schema": "reprobuild.stage-hardware/1",
            "accelerator": "nvidia",
            "gpu": wanted.get("gpu"),
            "compute_capability": wanted.get("compute_capability"),
            "driver": {
                "minimum": wanted.get("minimum"),
                "minimum_from": "driver.minimum",
                "branch": wanted.get("branch"),
            },
            "nvml": str(Path(pynvml.__file__).parent),
        }
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(PYTHON),
            "PYTHONHASHSEED": "0",
            "NIX_BUILD_TOP": str(build),
            "LD_LIBRARY_PATH": str(driver),
            "REPROBUILD_FAKE_GPU": str(tmp_path / "gpu.txt"),
            "out": str(tmp_path / "out"),
            "reprobuildStage": json.dumps(stage),
            "reprobuildHardware": json.dumps(document),
        }
        command = [sys.executable, "-c", CHILD]
        return subprocess.run(
            command, env=environment, cwd=build, capture_output=True, text=True, check=False
        )

    return run


def event(done: subprocess.CompletedProcess[str], name: str) -> dict[str, Any]:
    lines = [line.removeprefix("@reprobuild ") for line in done.stdout.splitlines() if line.startswith("@re")]
    (found,) = [one for one in map(json.loads, lines) if one["event"] == name]
    return dict(found)


def test_a_stage_runs_and_its_log_holds_the_profile(run_on_gpu: RunOnGpu, tmp_path: Path) -> None:
    done = run_on_gpu(EIGHT_H100, gpu="h100", compute_capability="9.0", minimum="580.65.06", branch="580")
    assert (done.returncode, done.stderr.count("error")) == (0, 0), done.stderr
    profile = event(done, "hardware")
    assert (profile["stage"], profile["schema"]) == ("train", "reprobuild.hardware-profile/1")
    assert [gpu["multiprocessors"] for gpu in profile["gpus"]] == [132] * 8
    answer = json.loads((tmp_path / "out/answer.json").read_text())
    assert not answer["cuda"], "CUDA must not be started in the process of user code"
    assert "warning" not in done.stdout  # without torch nothing is known of its use


def test_a_stage_runs_on_a_slice_that_is_asked_for(run_on_gpu: RunOnGpu) -> None:
    assert run_on_gpu(MIG_A100, gpu="a100-mig-1g-5gb").returncode == 0


def test_a_gpu_that_is_split_is_not_the_whole_one(run_on_gpu: RunOnGpu) -> None:
    done = run_on_gpu(MIG_A100, gpu="a100")
    assert done.returncode == 1
    assert "a100-mig-1g-5gb" in done.stderr


def test_another_driver_is_refused_before_user_code_and_the_log_still_holds_the_profile(
    run_on_gpu: RunOnGpu, tmp_path: Path
) -> None:
    done = run_on_gpu(H100.replace("580.65.06", "580.40"), minimum="580.65.06")
    assert done.returncode == 1
    assert not (tmp_path / "out").exists()
    assert done.stderr == (
        "error: stage train: this machine is not the one that the spec asks for\n"
        "  expected driver 580.65.06 or newer  reprobuild.toml, driver.minimum\n"
        "  actual   driver 580.40              measured in this build\n"
        "hint: update the machine's driver to 580.65.06 or newer, or lower driver.minimum\n"
    )
    assert event(done, "hardware")["driver"]["version"] == "580.40"


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        (BROKEN, "the kernel still runs the old one"),
        ("init 9", "the kernel module is not loaded"),
        ("gpus 0", "the driver is there, and lists no GPU"),
    ],
)
def test_without_a_usable_gpu_the_stage_is_refused_and_never_runs_on_the_cpu(
    run_on_gpu: RunOnGpu, tmp_path: Path, says: str, reason: str
) -> None:
    done = run_on_gpu(says)
    assert done.returncode == 1
    assert "error: stage train: no usable GPU in this build" in done.stderr
    assert reason in done.stderr and "reprobuild.toml, hardware.accelerator" in done.stderr
    assert "hint: run `reprobuild builder probe` on the machine" in done.stderr
    assert not (tmp_path / "out").exists()


def fake_torch(*, started: bool) -> str:
    """A stand-in: only what the worker and the handshake ask torch for."""
    return (
        "import sys, types\n"
        "torch = types.ModuleType('torch')\n"
        f"torch.cuda = types.SimpleNamespace(is_initialized=lambda: {started}, max_memory_allocated=lambda: 7,\n"
        "    get_device_name=lambda: 'NVIDIA H100 80GB HBM3')\n"
        "sys.modules['torch'] = torch\n"
    )


@pytest.mark.parametrize("started", [True, False])
def test_a_stage_that_did_not_use_its_gpu_is_named(run_on_gpu: RunOnGpu, started: bool) -> None:
    done = run_on_gpu(H100, fake_torch(started=started) + CODE)
    assert done.returncode == 0, done.stderr
    warning = "warning: stage train asked for a GPU and did not use it: torch never started CUDA"
    assert (warning in done.stdout) is not started


def test_nothing_is_said_of_use_where_torch_is_not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    assert unused_gpu() is None


@pytest.mark.parametrize(
    "path", sorted((PYTHON / "reprobuild_handshake").glob("*.py")), ids=lambda path: path.name
)
def test_it_imports_what_goes_into_the_sandbox_only(path: Path) -> None:
    names = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    ours = {"reprobuild_handshake", "reprobuild_probe", "reprobuild_worker"}
    assert {name.partition(".")[0] for name in names} - sys.stdlib_module_names <= ours
