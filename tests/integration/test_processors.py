"""Does a portable model have the same weights on other processors?

A stage trains four small models, in Nix on this machine, then once more on each emulated processor: same store paths,
same variables, same preloaded shim. An emulated run takes minutes, so it is asked for:

    REPROBUILD_QEMU=/path/to/qemu-x86_64 pytest -m slow tests/integration/test_processors.py

QEMU must be 10 or newer: 7.2 computes LSTMs wrongly. Debian 13's `qemu-user` package holds one static program, which
runs on Debian 12 as well: `dpkg-deb -x qemu-user_*.deb FOLDER`, then FOLDER/usr/bin/qemu-x86_64.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.integration.conftest import World

from reprobuild.domain.drv import DrvFile, parse_drv

QEMU = os.environ.get("REPROBUILD_QEMU", "")
PROCESSORS = ("Haswell", "Skylake-Client", "EPYC-Rome", "EPYC-Milan")

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.skipif(
        not QEMU, reason="emulated processors take minutes each: REPROBUILD_QEMU names QEMU 10 or newer"
    ),
]

STAGE = """
[stages.train]
run = "four_models.py"
outputs = ["digests.json"]
"""
# The sandbox is Nix's; here the emulator stands in its place.
OUTSIDE = (
    "from reprobuild_worker import run_stage; raise SystemExit(run_stage.main(lambda environment: None))"
)

Digests = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Trained:
    drv: DrvFile
    digests: Digests  # model → of all weights, and of each tensor


def trained(world: World, quickstart: Path, folder: Path, level: str) -> Trained:
    """The four models, trained by Nix on this machine."""
    shutil.copytree(quickstart, folder, ignore=shutil.ignore_patterns("result*", ".reprobuild"))
    shutil.copy(Path(__file__).with_name("four_models.py"), folder)
    spec = folder / "reprobuild.toml"
    head = spec.read_text().partition("[stages.prepare]")[0]
    spec.write_text(head.replace('level = "exact"', f'level = "{level}"') + STAGE)
    world.reprobuild("lock", cwd=folder)
    built = world.json("nix", "build", "--no-link", "--stage", "train", cwd=folder)
    drv = parse_drv(world.file(world.drv_paths(folder)["train"]).read_text())
    out = world.file(built["outputs"]["train"])
    return Trained(drv, json.loads((out / "digests.json").read_text()))


def emulated(world: World, drv: DrvFile, processor: str, folder: Path) -> Digests:
    """The same stage on another processor."""
    variables = {**drv.environment, "NIX_BUILD_TOP": str(folder), "out": str(folder / "out")}
    setting = [f"{name}={value}" for name, value in variables.items()]
    program = [drv.builder, "-s", "-c", OUTSIDE]
    done = world.run(["env", "-i", *setting, QEMU, "-cpu", processor, *program], cwd=folder, timeout_s=3600)
    assert done.returncode == 0, done.stdout + done.stderr
    found: Digests = json.loads((folder / "out" / "digests.json").read_text())
    return found


@pytest.fixture(scope="module")
def portable(world: World, quickstart: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return trained(world, quickstart, tmp_path_factory.mktemp("processors") / "portable", "portable")


def test_the_emulator_computes_rightly() -> None:
    said = subprocess.run([QEMU, "--version"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"version (\d+)", said)
    assert version is not None and int(version[1]) >= 10, said


def test_here_portable_has_other_weights_than_exact(
    world: World, quickstart: Path, portable: Trained, tmp_path: Path
) -> None:
    """Where this machine has AVX-512; else there is nothing to hold back."""
    if "avx512f" not in Path("/proc/cpuinfo").read_text():
        pytest.skip("this processor has no AVX-512")
    exact = trained(world, quickstart, tmp_path / "exact", "exact")
    assert exact.digests["perceptron"]["all"] != portable.digests["perceptron"]["all"]


@pytest.mark.parametrize("processor", PROCESSORS)
def test_every_tensor_is_the_same_on(world: World, portable: Trained, processor: str, tmp_path: Path) -> None:
    assert emulated(world, portable.drv, processor, tmp_path) == portable.digests
