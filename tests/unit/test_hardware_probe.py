"""What the probe says of machines with and without GPUs. The driver is a fake of a few lines of C: tests/fake_gpu."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.fake_gpu.build import (
    BROKEN,
    EIGHT_H100,
    GEFORCE,
    H100,
    MIG_A100,
    NO_GPU,
    OLD_T4,
    build_fake_driver,
)

from reprobuild_probe.cpu import isa_level, read_cpu
from reprobuild_probe.driver_branches import KNOWN_BRANCHES, is_known_branch
from reprobuild_probe.driver_libraries import CUDA, LibraryError, digests, joint_digest, load
from reprobuild_probe.gpu_names import gpu_names
from reprobuild_probe.nvml import mig_profile

PROBE = Path(__file__).parents[2] / "python/reprobuild_probe"
Measure = Callable[[str | None], dict[str, Any]]


def hide_no_real_driver() -> None:
    """Skip where the machine has what the test says is missing."""
    try:
        load(CUDA)
    except LibraryError:
        return
    pytest.skip("this machine has a real NVIDIA driver, which the probe would find")


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_fake_driver(tmp_path_factory.mktemp("driver"))


@pytest.fixture
def measure(driver: Path, tmp_path: Path) -> Measure:
    """The probe's document in a process of its own, on a machine with the fake driver and what it says, or without."""

    def run(says: str | None, folder: Path = driver) -> dict[str, Any]:
        (tmp_path / "gpu.txt").write_text(says or "")
        fake = {"LD_LIBRARY_PATH": str(folder), "REPROBUILD_FAKE_GPU": str(tmp_path / "gpu.txt")}
        done = subprocess.run(
            [sys.executable, "-m", "reprobuild_probe"],
            env={**os.environ, "PYTHONPATH": str(PROBE.parent), **(fake if says is not None else {})},
            capture_output=True,
            text=True,
            check=True,
        )
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    return run


def of_driver(found: dict[str, Any]) -> list[str]:
    return [name for name in found["features"] if name.startswith("nvidia-driver-")]


def of_gpu(found: dict[str, Any]) -> list[str]:
    return [name for name in found["features"] if not name.startswith("nvidia-driver-")]


def test_one_gpu(measure: Measure) -> None:
    found = measure(H100)
    (gpu,) = found["gpus"]
    expected = {
        "name": "NVIDIA H100 80GB HBM3",
        "memory_bytes": 81559 * 2**20,
        "compute_capability": "9.0",
        "multiprocessors": 132,
        "threads_per_multiprocessor": 2048,
        "ecc_enabled": True,
        "mig_enabled": False,
        "pcie_bytes_per_s": 63_015_384_608,
        "nvlink_version": "4.0",
        "nvlink_bytes_per_s": 450_000_000_000,
    }
    assert {key: gpu[key] for key in expected} == expected
    assert (found["driver"]["version"], found["driver"]["cuda_version"]) == ("580.65.06", "13.0")
    assert found["cuda_devices"] == 1
    assert of_gpu(found) == ["cuda", "cuda-sm-90", "gpu-h100", "gpu-h100-80gb-hbm3"]
    assert of_driver(found)[:3] == ["nvidia-driver-branch-580", "nvidia-driver-580", "nvidia-driver-575"]
    assert {"nvidia-driver-590", "nvidia-driver-branch-575"}.isdisjoint(of_driver(found))


def test_eight_gpus_offer_what_one_does(measure: Measure) -> None:
    found = measure(EIGHT_H100)
    assert (len(found["gpus"]), found["cuda_devices"]) == (8, 8)
    assert found["features"] == measure(H100)["features"]


def test_different_gpus_offer_only_what_holds_for_all(measure: Measure) -> None:
    sxm_and_pcie = EIGHT_H100 + "3.name NVIDIA H100 PCIe\n3.multiprocessors 114\n"
    found = measure(sxm_and_pcie)
    assert of_gpu(found) == ["cuda", "cuda-sm-90", "gpu-h100"]
    assert [gpu["multiprocessors"] for gpu in found["gpus"]][2:5] == [132, 114, 132]
    other = EIGHT_H100 + "3.name NVIDIA A100-SXM4-40GB\n3.capability 80\n"
    assert of_gpu(measure(other)) == ["cuda"]


def test_a_gpu_split_by_mig_offers_its_slices_and_not_itself(measure: Measure) -> None:
    found = measure(MIG_A100)
    assert of_gpu(found) == [
        "cuda",
        "cuda-sm-80",
        "gpu-a100-mig-1g-5gb",
        "gpu-a100-sxm4-40gb-mig-1g-5gb",
    ]
    (gpu,) = found["gpus"]
    assert [one["multiprocessors"] for one in gpu["mig_slices"]] == [14] * 7
    assert gpu["multiprocessors"] is None and "MIG" in found["not_available"]["gpus[0].multiprocessors"]
    assert measure(MIG_A100.replace("slices 7", "slices 0"))["features"] == []


def test_an_old_driver_offers_its_branch_and_older_ones(measure: Measure) -> None:
    found = measure(OLD_T4)
    assert of_driver(found) == ["nvidia-driver-branch-450", "nvidia-driver-450"]
    assert of_gpu(found) == ["cuda", "cuda-sm-75", "gpu-t4"]


def test_a_driver_of_an_unknown_new_branch_offers_that_and_all_known_ones(measure: Measure) -> None:
    found = measure(H100.replace("580.65.06", "999.10"))
    assert of_driver(found)[:2] == ["nvidia-driver-branch-999", "nvidia-driver-999"]
    assert {f"nvidia-driver-{branch}" for branch in KNOWN_BRANCHES} < set(of_driver(found))
    assert is_known_branch("580.65") and not is_known_branch("585")


def test_what_is_not_supported_is_null_with_the_reason(measure: Measure) -> None:
    found = measure(GEFORCE)
    (gpu,) = found["gpus"]
    for field in ("ecc_enabled", "mig_enabled", "pcie_lanes", "nvlink_links"):
        assert gpu[field] is None
        assert found["not_available"][f"gpus[0].{field}"] == "Not Supported"
    assert gpu["pcie_bytes_per_s"] is None
    assert of_gpu(found) == ["cuda", "cuda-sm-89", "gpu-rtx-4090"]


@pytest.mark.parametrize(
    ("says", "key", "reason"),
    [
        (None, "driver", "no NVIDIA driver: libnvidia-ml.so.1: cannot open shared object file"),
        (NO_GPU, "cuda_devices", "cuInit failed with CUDA_ERROR_NO_DEVICE"),
        (BROKEN, "driver", "the kernel still runs the old one: restart the machine"),
        ("init 9", "driver", "`modprobe nvidia` as root loads it"),
        (H100 + "cuda_init 999", "cuda_devices", "cuInit failed with CUDA_ERROR_UNKNOWN"),
        (EIGHT_H100 + "5.lost 15", "gpus[5].name", "GPU is lost"),
    ],
)
def test_a_machine_that_cannot_compute_on_all_its_gpus_offers_nothing_and_says_why(
    measure: Measure, says: str | None, key: str, reason: str
) -> None:
    if says is None:
        hide_no_real_driver()
    found = measure(says)
    assert found["features"] == []
    assert reason in found["not_available"][key]


def test_nvml_without_cuda_is_no_gpu_that_computes(driver: Path, tmp_path: Path, measure: Any) -> None:
    hide_no_real_driver()
    half = tmp_path / "half"
    half.mkdir()
    (half / "libnvidia-ml.so.1").symlink_to(driver / "libnvidia-ml.so.1")
    found = measure(H100, half)
    assert (found["gpus"][0]["name"], found["features"]) == ("NVIDIA H100 80GB HBM3", [])
    assert "libcuda.so.1: cannot open shared object file" in found["not_available"]["cuda_devices"]
    assert found["gpus"][0]["multiprocessors"] is None


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("NVIDIA H100 80GB HBM3", ("h100", "h100-80gb-hbm3")),
        ("NVIDIA H100 PCIe", ("h100", "h100-pcie")),
        ("NVIDIA H200 NVL", ("h200", "h200-nvl")),
        ("NVIDIA A100-SXM4-40GB", ("a100", "a100-sxm4-40gb")),
        ("NVIDIA A100-SXM4-40GB MIG 3g.20gb", ("a100-mig-3g-20gb", "a100-sxm4-40gb-mig-3g-20gb")),
        ("NVIDIA A10G", ("a10g",)),
        ("NVIDIA L40S", ("l40s",)),
        ("Tesla T4", ("t4",)),
        ("Tesla V100-SXM2-16GB", ("v100", "v100-sxm2-16gb")),
        ("NVIDIA GeForce RTX 4090", ("rtx-4090",)),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", ("rtx-4090-laptop", "rtx-4090-laptop-gpu")),
        ("NVIDIA RTX A6000", ("rtx-a6000",)),
        ("NVIDIA RTX 6000 Ada Generation", ("rtx-6000-ada", "rtx-6000-ada-generation")),
        ("Quadro RTX 6000", ("quadro-rtx-6000",)),
        (
            "NVIDIA RTX PRO 6000 Blackwell Workstation Edition",
            ("rtx-pro-6000-blackwell-workstation", "rtx-pro-6000-blackwell-workstation-edition"),
        ),
    ],
)
def test_names_of_gpus(name: str, names: tuple[str, ...]) -> None:
    assert gpu_names(name) == names


@pytest.mark.parametrize(
    ("slices", "memory_mib", "total_mib", "profile"),
    [
        (1, 4864, 40536, "1g.5gb"),
        (3, 19968, 40536, "3g.20gb"),
        (1, 9728, 81920, "1g.10gb"),
        (7, 80896, 81920, "7g.80gb"),
    ],
)
def test_names_of_mig_profiles(slices: int, memory_mib: int, total_mib: int, profile: str) -> None:
    assert mig_profile(slices, slices, memory_mib * 2**20, total_mib * 2**20) == profile


def test_the_digest_is_that_of_the_files_behind_the_links(tmp_path: Path) -> None:
    for version, content in (("1.0", b"old"), ("2.0", b"new")):
        (tmp_path / version).mkdir()
        (tmp_path / version / f"libcuda.so.{version}").write_bytes(content)
        (tmp_path / version / "libcuda.so.1").symlink_to(f"libcuda.so.{version}")
    old, new = (digests([tmp_path / v / f"libcuda.so.{v}"]) for v in ("1.0", "2.0"))
    assert old.keys() == {"libcuda.so.1"} and old != new
    assert joint_digest(old) != joint_digest(new)
    assert joint_digest({"a": "1", "b": "2"}) == joint_digest({"b": "2", "a": "1"})


V2 = frozenset(["cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"])
V3 = V2 | frozenset(["abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe", "xsave"])
V4 = V3 | frozenset(["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"])


@pytest.mark.parametrize(
    ("flags", "level"),
    [
        (frozenset({"sse2"}), "x86-64-v1"),
        (V2, "x86-64-v2"),
        (V3, "x86-64-v3"),
        (V4, "x86-64-v4"),
        (V4 - {"fma"}, "x86-64-v2"),  # a level needs all of those below it
    ],
)
def test_levels_of_processors(flags: frozenset[str], level: str) -> None:
    assert isa_level(flags) == level


def test_a_processor_that_the_kernel_says_nothing_of(tmp_path: Path) -> None:
    assert read_cpu(tmp_path / "none")["isa_level"] is None


@pytest.mark.parametrize("path", sorted(PROBE.glob("*.py")), ids=lambda path: path.name)
def test_it_stands_alone_and_parses_as_python_3_8(path: Path) -> None:
    tree = ast.parse(path.read_text(), feature_version=(3, 8))
    names = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    allowed = {"reprobuild_probe", "pynvml"}
    assert {name.partition(".")[0] for name in names} - sys.stdlib_module_names <= allowed
