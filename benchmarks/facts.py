"""On what was this measured? The class of machine and versions; no names of hosts or people."""

from __future__ import annotations

import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.place import REPOSITORY, Place
from reprobuild import __version__
from reprobuild.adapters.host import LinuxHost, nix_version


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def machine(place: Place) -> dict[str, Any]:
    """What decides about times."""
    host = LinuxHost().document()
    return {
        "cpu_model": host["cpu_model"],
        "cores": host["cores"],
        "sha_instructions": "sha_ni" in _cpu_flags(),
        "memory_gib": round(host["memory_bytes"] / 2**30),
        "kernel": host["kernel"],
        "system": host["system"],
        "distribution": platform.freedesktop_os_release().get("PRETTY_NAME", "unknown"),
        "file_system": _file_system(place.folder),
    }


def versions(place: Place) -> dict[str, str]:
    return {
        "reprobuild": __version__,
        "commit": _commit(),
        "nix": nix_version(),
        "python": platform.python_version(),
        "uv": _output([str(place.uv), "--version"]).split()[1],
    }


def _commit() -> str:
    head = _output(["git", "-C", str(REPOSITORY), "rev-parse", "--short=12", "HEAD"])
    changed = _output(["git", "-C", str(REPOSITORY), "status", "--porcelain", "--untracked-files=no"])
    return f"{head}, with changes" if changed else head


def _cpu_flags() -> list[str]:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line for line in lines if line.startswith(("flags", "Features"))), "").split()


def _file_system(folder: Path) -> str:
    return _output(["stat", "--file-system", "--format=%T", str(folder)])


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip()
