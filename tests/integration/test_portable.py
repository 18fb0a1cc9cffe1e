"""Do stages of a portable model get the variables and the shim, and does Nix refuse a processor without AVX2?"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.integration.conftest import TINY_TRAIN, World

pytestmark = pytest.mark.integration

# What a stage sees of the level; the symbols are those that the process itself would find, as torch's MKL does.
LOOK = """
import ctypes
import os

names = ("ATEN_CPU_CAPABILITY", "MKL_CBWR", "ONEDNN_MAX_CPU_ISA", "OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES")
process = ctypes.CDLL(None)
maps = open("/proc/self/maps").read().splitlines()
seen = {
    "set": [name for name in names if name in os.environ],
    "vendor": [process.mkl_serv_intel_cpu_true(), process.mkl_serv_intel_cpu()]
    if hasattr(process, "mkl_serv_intel_cpu_true") else None,
    "preload": os.environ.get("LD_PRELOAD"),
    "stack": next(line.split()[1] for line in maps if line.endswith("[stack]")),
}
"""
TORCH = """
import torch
import numpy as np
from numpy._core import _multiarray_umath as umath

from reprobuild_worker import stage

(torch.ones(64, 64) @ torch.ones(64, 64), np.ones((64, 64)) @ np.ones((64, 64)))
cpu = umath.__cpu_features__
seen["torch"] = torch.backends.cpu.get_cpu_capability()
seen["numpy"] = [name for name in umath.__cpu_dispatch__ if cpu[name] and ("512" in name or name == "X86_V4")]
stage.save_json("seen.json", seen)
"""
ALL_SET = [
    "ATEN_CPU_CAPABILITY",
    "MKL_CBWR",
    "ONEDNN_MAX_CPU_ISA",
    "OPENBLAS_CORETYPE",
    "NPY_DISABLE_CPU_FEATURES",
]


def at_level(project: Path, level: str) -> None:
    spec = project / "reprobuild.toml"
    text = spec.read_text()
    if "[numerics]" in text:
        spec.write_text(text.replace('level = "exact"', f'level = "{level}"'))
    else:
        spec.write_text(f'{text}\n[numerics]\nlevel = "{level}"\n')


@pytest.fixture
def portable(world: World, tiny: Path) -> Path:
    """A small portable model, locked: its stages say what they see of the level."""
    at_level(tiny, "portable")
    (tiny / "train.py").write_text(
        LOOK + TINY_TRAIN.replace('"seed": stage.seed', '"seed": stage.seed, "seen": seen')
    )
    world.reprobuild("lock", cwd=tiny)
    return tiny


def built(world: World, project: Path) -> Any:
    path = world.json("nix", "build", "--no-link", "--stage", "train", cwd=project)["outputs"]["train"]
    return json.loads((world.file(path) / "numbers.json").read_text())["seen"]


def test_a_shell_has_the_shim_too(world: World, portable: Path) -> None:
    """Stands first: no stage has needed the shim yet, so the shell makes it."""
    look = "import ctypes; print(ctypes.CDLL(None).mkl_serv_intel_cpu_true())"
    command = ["nix", "shell", "--quiet", "--stage", "train", "--", "python", "-c", look]
    assert world.reprobuild(*command, cwd=portable).stdout.split() == ["1"]


def test_a_stage_gets_the_variables_and_the_shim(world: World, portable: Path) -> None:
    seen = built(world, portable)
    assert seen["set"] == ALL_SET
    assert seen["vendor"] == [1, 1]
    assert seen["preload"].startswith("/nix/store/") and seen["preload"].endswith("-portable-shim.so")
    assert seen["stack"] == "rw-p", "a preloaded library must not make the stack executable"


def test_a_whole_portable_model_is_built_verified_and_explained(world: World, portable: Path) -> None:
    world.reprobuild("nix", "build", cwd=portable)
    assert "verdict: same bytes" in world.reprobuild("verify", cwd=portable).stdout
    assert "compiler tcc" in world.reprobuild("why", "tcc", cwd=portable).stdout


def test_the_other_levels_get_neither(world: World, tiny: Path) -> None:
    """And need no other lock."""
    (tiny / "train.py").write_text(LOOK + TINY_TRAIN.replace('"seed": stage.seed', '"seen": seen'))
    at_level(tiny, "tolerant")
    seen = built(world, tiny)
    assert (seen["set"], seen["vendor"], seen["preload"]) == ([], None, None)


def test_the_base_and_the_wheels_are_those_of_an_exact_model(world: World, tiny: Path) -> None:
    exact = world.drv_paths(tiny)
    at_level(tiny, "portable")
    world.reprobuild("lock", cwd=tiny)
    portable = world.drv_paths(tiny)
    same = {label for label in exact if exact[label] == portable[label]}
    assert same == {"base", "environment"}


def test_a_processor_without_avx2_is_refused(world: World, portable: Path) -> None:
    # What Nix finds out by itself on such a processor.
    config = "build-users-group =\nextra-platforms = x86_64-v1-linux x86_64-v2-linux"
    new = ["--set", "stages.train.params.steps=2"]
    done = world.reprobuild("nix", "build", *new, cwd=portable, status=3, env={"NIX_CONFIG": config})
    assert "stage train: numerics.level portable needs a processor with AVX2" in done.stderr


def test_the_quickstart_reaches_its_goal_with_avx2_kernels(
    world: World, quickstart: Path, tmp_path: Path
) -> None:
    project = shutil.copytree(
        quickstart, tmp_path / "digits", ignore=shutil.ignore_patterns("result*", ".reprobuild")
    )
    at_level(project, "portable")
    spec = project / "reprobuild.toml"
    spec.write_text(spec.read_text() + '\n[stages.look]\nrun = "look.py"\noutputs = ["seen.json"]\n')
    (project / "look.py").write_text(LOOK + TORCH)
    world.reprobuild("lock", cwd=project)
    outputs = world.json("nix", "build", "--no-link", "--stage", "look", cwd=project)["outputs"]
    seen = json.loads((world.file(outputs["look"]) / "seen.json").read_text())
    assert (seen["vendor"], seen["torch"], seen["numpy"]) == ([1, 1], "AVX2", [])
    world.reprobuild("nix", "build", cwd=project)  # fails where the goal for accuracy is missed
