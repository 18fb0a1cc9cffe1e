"""What can be read of this machine without privileges."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

from reprobuild.adapters.nix.process import run


def nix_version() -> str:
    """Such as `2.8.0`."""
    return run("nix-store", ["--version"]).stdout.split()[-1]


class LinuxHost:
    """Implements ports.HostFacts."""

    def document(self) -> dict[str, Any]:
        return {
            "host_name": platform.node(),
            "kernel": platform.release(),
            "system": f"{platform.machine()}-linux",
            "cpu_model": _cpu_model(),
            "cores": os.cpu_count(),
            "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
            "nix_version": nix_version(),
            "python_version": platform.python_version(),
        }


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )
