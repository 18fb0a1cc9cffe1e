"""Everything that the probe measures, as one document.

Format page: docs/formats/hardware-profile.md.
"""

from __future__ import annotations

import platform
from typing import Any

from reprobuild_probe.cpu import memory_bytes, read_cpu
from reprobuild_probe.cuda_driver import CudaDevices, read_devices
from reprobuild_probe.driver_libraries import DIGESTED, LibraryError, digests, joint_digest
from reprobuild_probe.features import features, why_unusable
from reprobuild_probe.gpu_names import gpu_names
from reprobuild_probe.nvml import Nvml, NvmlError

SCHEMA = "reprobuild.hardware-profile/1"


def measure() -> dict[str, Any]:
    """The hardware profile of this machine. Never fails for what a machine lacks: `not_available` says why.

    It starts CUDA in this process, which processes forked from it cannot start again: a program that computes on a GPU
    afterwards calls `python -m reprobuild_probe` instead.
    """
    not_available: dict[str, str] = {}
    cuda: CudaDevices | None = None
    try:
        cuda = read_devices()
    except LibraryError as error:
        not_available["cuda_devices"] = str(error)
    driver: dict[str, Any] | None = None
    gpus = []
    try:
        with Nvml() as nvml:
            driver, gpus = nvml.driver(), nvml.gpus(cuda)
            not_available.update(nvml.missing.reasons)
    except NvmlError as error:
        not_available["driver"] = str(error)
    for gpu in gpus:
        gpu["names"] = list(gpu_names(gpu["name"])) if gpu["name"] else []
    if driver is not None:
        libraries = digests()
        for name in DIGESTED:
            if name not in libraries:
                not_available[f"driver.libraries.{name}"] = "not beside the driver's other libraries"
        driver["libraries"] = libraries
        driver["libraries_digest"] = joint_digest(libraries) if libraries else None
    cpu = read_cpu()
    if cpu["isa_level"] is None:
        not_available["cpu.isa_level"] = "not an x86-64 processor, or the kernel does not list its flags"
    profile: dict[str, Any] = {
        "schema": SCHEMA,
        "host_name": platform.node(),
        "system": f"{platform.machine()}-linux",
        "cpu": cpu,
        "memory_bytes": memory_bytes(),
        "driver": driver,
        "cuda_devices": cuda.count if cuda else None,
        "gpus": gpus,
        "not_available": not_available,
    }
    unusable = why_unusable(profile)
    if unusable is not None:
        not_available["features"] = unusable
    return {**profile, "features": list(features(profile))}
