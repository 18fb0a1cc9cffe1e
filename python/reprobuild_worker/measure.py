"""What did this stage cost, and on what did it run? For the log, never for an output."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import resource
import sys
import time
from pathlib import Path
from typing import Any

PACKAGES = ("torch", "numpy", "safetensors", "scikit-learn")


class Stopwatch:
    """Wall and processor time since it was made, children included."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def resources(self) -> dict[str, Any]:
        own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        fields: dict[str, Any] = {
            "wall_s": round(time.monotonic() - self._started, 3),
            "cpu_s": round(own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime, 3),
            "peak_memory_bytes": max(own.ru_maxrss, children.ru_maxrss) * 1024,  # Linux counts in KiB
        }
        return fields | _gpu_resources()


def host() -> dict[str, Any]:
    """Python, packages and processor; torch is looked up, not imported."""
    return {
        "python": platform.python_version(),
        "packages": {name: version for name in PACKAGES if (version := _version(name))},
        "machine": platform.machine(),
        "kernel": platform.release(),
        "cpu_count": os.cpu_count(),
        **_cpu(),
    }


def numerics_in_use() -> dict[str, Any]:
    """Which kernels torch chose; empty when the stage did not import it."""
    torch = sys.modules.get("torch")
    if torch is None or not hasattr(torch, "backends"):
        return {}
    fields = {
        "torch": str(torch.__version__),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
    }
    if torch.cuda.is_initialized():
        fields["gpu"] = torch.cuda.get_device_name()
    return fields


def _gpu_resources() -> dict[str, Any]:
    torch = sys.modules.get("torch")
    if torch is None or not hasattr(torch, "cuda") or not torch.cuda.is_initialized():
        return {}
    return {"gpu_peak_memory_bytes": torch.cuda.max_memory_allocated()}


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _cpu(table: Path = Path("/proc/cpuinfo")) -> dict[str, Any]:
    try:
        first = table.read_text().partition("\n\n")[0]
    except OSError:
        return {}
    fields = dict(line.split(":", 1) for line in first.splitlines() if ":" in line)
    values = {key.strip(): value.strip() for key, value in fields.items()}
    return {
        "cpu_model": values.get("model name", ""),
        "cpu_flags": sorted(values.get("flags", values.get("Features", "")).split()),
    }
