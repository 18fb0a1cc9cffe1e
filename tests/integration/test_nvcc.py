"""A stage compiles a CUDA kernel with nvcc, in the sandbox: no GPU, no driver, no compiler of the host."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.integration.conftest import World

pytestmark = [pytest.mark.integration, pytest.mark.slow]

SPEC = """
schema = "reprobuild.spec/1"

[model]
name = "kernel"
version = "1.0.0"
description = "A kernel, compiled."
license = "Apache-2.0"
owners = ["tests"]

[base]
suite = "SUITE"

[cuda]
toolkit = "13.2"
nvcc = true

[hardware]
accelerator = "nvidia"

[stages.compile]
run = "compile.py"
files = ["scale.cu"]
outputs = ["scale.ptx", "scale.cubin", "libscale.so", "facts.json"]

[stages.train]
run = "compile.py"
gpu = true
needs = ["compile"]
outputs = ["facts.json"]
"""
KERNEL = """
#include <cuda_runtime.h>
#include <vector>

__global__ void scale(float *values, int count, float factor)
{
    int index = blockIdx.x * blockDim.x + threadIdx.x;
    if (index < count)
        values[index] *= factor;
}

extern "C" int devices()
{
    int count = 0;
    return cudaGetDeviceCount(&count) == cudaSuccess ? count : -1;
}

extern "C" float launch(float *values, int count)
{
    std::vector<float> host(count, 2.0f);
    scale<<<(count + 127) / 128, 128>>>(values, count, host[0]);
    return host[0];
}
"""
COMPILE = """
import ctypes
import subprocess
from pathlib import Path

from reprobuild_worker import stage

source = Path(__file__).with_name("scale.cu")
for name, options in {
    "scale.ptx": ["-ptx"],
    "scale.cubin": ["-cubin"],
    "libscale.so": ["-shared", "-Xcompiler", "-fPIC"],
}.items():
    subprocess.run(["nvcc", "-arch=sm_90", *options, "-o", str(stage.out / name), str(source)], check=True)

version = subprocess.run(["nvcc", "--version"], check=True, capture_output=True, text=True).stdout
devices = ctypes.CDLL(str(stage.out / "libscale.so")).devices()
stage.save_json("facts.json", {"version": version, "devices": devices, "shell": Path("/bin/sh").exists()})
"""


@pytest.fixture(scope="module", params=["bookworm", "trixie"])
def compiled(world: World, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """The stage's output."""
    folder = tmp_path_factory.mktemp("nvcc")
    (folder / "reprobuild.toml").write_text(SPEC.replace("SUITE", request.param))
    (folder / "scale.cu").write_text(KERNEL)
    (folder / "compile.py").write_text(COMPILE)
    world.reprobuild("lock", cwd=folder)
    built: dict[str, Any] = world.json("nix", "build", "--stage", "compile", "--no-link", cwd=folder)
    return world.file(built["outputs"]["compile"])


def test_a_kernel_compiles_to_ptx_and_to_machine_code(compiled: Path) -> None:
    ptx = (compiled / "scale.ptx").read_text()
    assert ".target sm_90" in ptx and ".entry _Z5scalePfif" in ptx
    cubin = (compiled / "scale.cubin").read_bytes()
    assert cubin[:4] == b"\x7fELF" and int.from_bytes(cubin[18:20], "little") == 190  # EM_CUDA


def test_a_library_with_host_code_loads_where_there_is_no_driver(compiled: Path) -> None:
    facts = json.loads((compiled / "facts.json").read_text())
    assert "release 13.2" in facts["version"]
    assert facts["devices"] == -1
