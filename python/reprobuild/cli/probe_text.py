"""A hardware profile for people: what was measured, then what the machine offers and the lines that say so."""

from __future__ import annotations

from collections.abc import Iterable

from reprobuild.cli import render
from reprobuild.core.builder_lines import nix_conf_line, offered_machine
from reprobuild.core.machines_file import machine_line
from reprobuild.domain.hardware import Gpu, HardwareProfile


def profile_lines(profile: HardwareProfile) -> Iterable[str]:
    cpu, driver = profile.cpu, profile.driver
    rows = [
        ["host", f"{profile.host_name}, {profile.system}"],
        ["cpu", f"{cpu.model or 'unknown'}, {cpu.isa_level or 'no x86-64 level'}, {cpu.logical_cores} cores"],
        ["memory", render.size(profile.memory_bytes)],
    ]
    if driver is not None:
        digest = driver.libraries_digest
        rows.append(
            ["driver", f"{driver.version or 'unknown'}, runs CUDA {driver.cuda_version or 'unknown'}"]
        )
        rows.append(["", f"libraries {digest[:16]}…" if digest else "libraries not found"])
    rows += [[f"gpu {gpu.index}", _gpu(gpu)] for gpu in profile.gpus]
    yield from render.table(rows)
    if profile.features:
        yield ""
        yield f"features: {' '.join(profile.features)}"
        yield f"nix.conf: {nix_conf_line(profile)}"
        yield f"machines: {machine_line(offered_machine(profile))}"


def _gpu(gpu: Gpu) -> str:
    parts = [gpu.name or "does not answer"]
    if gpu.memory_bytes is not None:
        parts.append(render.size(gpu.memory_bytes))
    if gpu.compute_capability is not None:
        parts.append(f"compute capability {gpu.compute_capability}")
    if gpu.multiprocessors is not None:
        parts.append(f"{gpu.multiprocessors} SMs of {gpu.threads_per_multiprocessor} threads")
    if gpu.ecc_enabled is not None:
        parts.append(f"ECC {'on' if gpu.ecc_enabled else 'off'}")
    if gpu.mig_enabled:
        parts.append("MIG " + (", ".join(one.profile for one in gpu.mig_slices) or "without slices"))
    if gpu.pcie_bytes_per_s is not None:
        parts.append(f"PCIe {gpu.pcie_generation} x{gpu.pcie_lanes}")
    if gpu.nvlink_links:
        parts.append(f"NVLink {gpu.nvlink_version}, {gpu.nvlink_links} links")
    return ", ".join(parts)
