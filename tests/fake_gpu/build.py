"""Fake driver libraries, compiled in the test: they stand in for hardware and say nothing about real drivers."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
LIBRARIES = {"libnvidia-ml.so.1": "nvml.c", "libcuda.so.1": "cuda.c"}

H100 = """
driver 580.65.06
cuda 13000
gpus 1
name NVIDIA H100 80GB HBM3
memory_mib 81559
capability 90
ecc 1
mig 0
multiprocessors 132
threads 2048
pcie_generation 5
pcie_lanes 16
nvlinks 18
nvlink_number 6
"""
EIGHT_H100 = H100.replace("gpus 1", "gpus 8")
NO_GPU = "driver 580.65.06\ncuda 13000\ngpus 0\n"
MIG_A100 = """
driver 580.65.06
cuda 13000
gpus 1
name NVIDIA A100-SXM4-40GB
memory_mib 40536
capability 80
ecc 1
mig 1
slices 7
slice_size 1
slice_memory_mib 4864
slice_multiprocessors 14
multiprocessors 14
threads 2048
pcie_generation 4
pcie_lanes 16
nvlinks 12
nvlink_number 5
"""
OLD_T4 = """
driver 450.80.02
cuda 11000
gpus 1
name Tesla T4
memory_mib 15109
capability 75
ecc 1
multiprocessors 40
threads 1024
pcie_generation 3
pcie_lanes 16
"""
# No ECC, MIG or NVLink, and NVML that does not tell the width of the bus.
GEFORCE = """
driver 590.44.01
cuda 13010
gpus 1
name NVIDIA GeForce RTX 4090
memory_mib 24564
capability 89
multiprocessors 128
threads 1536
pcie_generation 4
"""
# NVML's error 18: the driver was updated under a running kernel module.
BROKEN = "init 18\ncuda_init 803\n"


def build_fake_driver(folder: Path) -> Path:
    """Compile both libraries into a folder.

    Skips the test where there is no C compiler; fails where tests must run (scripts/test installs gcc).
    """
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        reason = "there is no C compiler for the fake driver: scripts/test installs gcc"
        if os.environ.get("REPROBUILD_TESTS_MUST_BUILD") == "1":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    folder.mkdir(parents=True, exist_ok=True)
    for library, source in LIBRARIES.items():
        options = [
            "-shared",
            "-fPIC",
            "-fvisibility=hidden",
            f"-Wl,-soname,{library}",
            "-o",
            folder / library,
        ]
        done = subprocess.run(
            [compiler, *options, HERE / source], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    return folder
