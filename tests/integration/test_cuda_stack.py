"""The template pytorch-cuda, up to its environment: no GPU and no driver here, but the whole stack, some 3 GB.

Nothing stands in for hardware: what runs here is what a machine without a GPU can do. Training on one: tests/gpu.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.integration.conftest import World

from reprobuild.core.cuda_table import cuda_table

pytestmark = [pytest.mark.integration, pytest.mark.slow]

# Loads what it finds in the environment; stands beside the template's stages, and needs no GPU.
PROBE_STAGE = """
[stages.probe]
run = "probe.py"
outputs = ["facts.json"]

[metrics.accuracy]"""
PROBE = """
import ctypes
from pathlib import Path

import torch

from reprobuild_worker import stage

# By the first part of their names: each of these is somewhere in the environment, and loads without libcuda.
WANTED = (
    "cublas", "cublasLt", "cudart", "cudnn", "cufft", "cupti", "cusolver", "cusparse", "cusparseLt", "nccl",
    "nvJitLink", "nvrtc",
)
site = Path(torch.__file__).parents[1] / "nvidia"
loaded = {}
for name in WANTED:
    (found,) = sorted(site.glob(f"**/lib/lib{name}.so.[0-9]*"))[:1]
    ctypes.CDLL(str(found))
    loaded[name] = found.name

try:
    ctypes.CDLL("libcuda.so.1")
    driver = "found"
except OSError:
    driver = "none"

weights = torch.ones(3, requires_grad=True)
weights.square().sum().backward()
stage.save_json(
    "facts.json",
    {
        "cuda": torch.version.cuda,
        "version": torch.__version__,
        "available": torch.cuda.is_available(),
        "built": torch.backends.cuda.is_built(),
        "cudnn": torch.backends.cudnn.version(),
        "nccl": list(torch.cuda.nccl.version()),
        "kernels": torch._C._cuda_getArchFlags(),
        "gradient": weights.grad.tolist(),
        "driver": driver,
        "loaded": loaded,
    },
)
"""


@pytest.fixture(scope="module")
def project(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cuda") / "digits"
    world.reprobuild("init", str(folder), "--template", "pytorch-cuda", cwd=folder.parent)
    spec = (folder / "reprobuild.toml").read_text()
    (folder / "reprobuild.toml").write_text(spec.replace("\n[metrics.accuracy]", PROBE_STAGE, 1))
    (folder / "probe.py").write_text(PROBE)
    world.reprobuild("lock", cwd=folder)
    return folder


@pytest.fixture(scope="module")
def environment(world: World, project: Path) -> str:
    """Built as the README says, on a machine without a GPU."""
    built = world.json("nix", "build", "--environment", "--no-link", cwd=project)
    return str(built["outputs"]["environment"])


@pytest.fixture(scope="module")
def facts(world: World, project: Path, environment: str) -> dict[str, Any]:
    built = world.json("nix", "build", "--stage", "probe", "--stage", "prepare", "--no-link", cwd=project)
    found: dict[str, Any] = json.loads((world.file(built["outputs"]["probe"]) / "facts.json").read_text())
    return found


def test_the_lock_has_the_whole_stack_of_the_toolkit(project: Path) -> None:
    sources = json.loads((project / "reprobuild.lock").read_text())["sources"]
    wheels = {one["name"]: one for one in sources if one["kind"] == "wheel"}
    assert wheels["torch"]["version"] == "2.15.0"
    assert wheels["nvidia-cuda-runtime"]["version"].startswith("13.2.")
    assert len([name for name in wheels if name.startswith("nvidia-")]) >= 14
    assert sum(one["size_bytes"] for one in wheels.values()) > 2.5e9


def test_torch_is_imported_in_the_sandbox_and_is_of_the_toolkit(facts: dict[str, Any]) -> None:
    assert facts["cuda"] == "13.2"
    assert facts["built"]
    assert facts["gradient"] == [2.0, 2.0, 2.0]


def test_the_libraries_load_without_a_driver(facts: dict[str, Any]) -> None:
    assert facts["driver"] == "none"
    assert not facts["available"]
    assert facts["loaded"]["cudart"] == "libcudart.so.13"
    assert facts["cudnn"] >= 90000
    assert facts["nccl"][0] == 2


def test_the_table_says_what_torch_itself_says(facts: dict[str, Any]) -> None:
    major, minor = facts["version"].split(".")[:2]
    build = cuda_table().torch[f"{major}.{minor}"]
    assert build.toolkit == facts["cuda"]
    flags = [f"sm_{one.replace('.', '')}" for one in build.compute_capabilities]
    assert facts["kernels"].split() == flags


def test_training_asks_for_a_gpu_and_says_so(world: World, project: Path, facts: dict[str, Any]) -> None:
    done = world.reprobuild("nix", "build", "--stage", "train", "--no-link", cwd=project, status=3)
    assert "cuda" in done.stderr and "nvidia-driver-580" in done.stderr


def test_a_second_model_with_the_same_lock_shares_nearly_all(
    world: World, project: Path, facts: dict[str, Any], tmp_path: Path
) -> None:
    second = shutil.copytree(project, tmp_path / "second", ignore=shutil.ignore_patterns(".reprobuild"))
    spec = (second / "reprobuild.toml").read_text()
    (second / "reprobuild.toml").write_text(spec.replace('name = "digits-cuda"', 'name = "other-cuda"'))
    store = world.nix / "store"
    before = set(store.iterdir())
    built = world.json("nix", "build", "--stage", "probe", "--stage", "prepare", "--no-link", cwd=second)
    own = {world.file(path) for path in built["outputs"].values()}
    added = set(store.iterdir()) - before - own
    assert own <= set(store.iterdir()) - before
    assert sum(_size_bytes(path) for path in added) < 1_000_000


def _size_bytes(path: Path) -> int:
    """What it takes on disk, links not followed."""
    files = [path, *(path.rglob("*") if path.is_dir() and not path.is_symlink() else ())]
    return sum(file.lstat().st_blocks * 512 for file in files)
