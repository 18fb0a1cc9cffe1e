"""Which driver libraries would a program get here? Finds and loads them as a program does, and digests them."""

from __future__ import annotations

import ctypes
import hashlib
from pathlib import Path
from typing import Any

NVML = "libnvidia-ml.so.1"
CUDA = "libcuda.so.1"

# What of the driver runs in a CUDA program or compiles its kernels: a change of these may change numbers.
DIGESTED = (CUDA, NVML, "libnvidia-nvvm.so.4", "libnvidia-ptxjitcompiler.so.1")

# Where drivers lie that the loader does not search by itself: NixOS and Nix's sandbox, other systems, WSL.
FOLDERS = (
    "/run/opengl-driver/lib",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/lib/wsl/lib",
    "/usr/local/nvidia/lib64",
)


class LibraryError(Exception):
    """A library of the driver cannot be loaded."""


def load(name: str) -> ctypes.CDLL:
    """Load a library: as the loader finds it (LD_LIBRARY_PATH first), else from the driver's usual folders.

    Raises:
        LibraryError: it is nowhere, or does not load.
    """
    try:
        return ctypes.CDLL(name)
    except OSError as error:
        reason = str(error)
    for folder in FOLDERS:
        file = Path(folder, name)
        if file.exists():
            try:
                return ctypes.CDLL(str(file))
            except OSError as error:
                reason = str(error)
    raise LibraryError(reason if name in reason else f"{name}: {reason}")


def digests(mapped: list[Path] | None = None) -> dict[str, str]:
    """Name → SHA-256 (hex) of the file behind it, of those that are there. Call it when NVML and CUDA are loaded.

    Args:
        mapped: files that the process has mapped; by default those of this process.
    """
    folders = sorted({file.parent for file in (_mapped() if mapped is None else mapped)}, key=str)
    found = {}
    for name in DIGESTED:
        file = next((folder / name for folder in folders if (folder / name).exists()), None)
        if file is not None:
            found[name] = _sha256(file)
    return found


def joint_digest(libraries: dict[str, str]) -> str:
    """SHA-256 (hex) over a line `NAME SHA256` for each library, by name."""
    lines = "".join(f"{name} {libraries[name]}\n" for name in sorted(libraries))
    return hashlib.sha256(lines.encode()).hexdigest()


def _mapped() -> list[Path]:
    """Driver libraries of this process: the loader knows best which of several it took."""
    stems = tuple(name.partition(".so")[0] for name in DIGESTED)
    lines = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines()
    files = (Path(line.split(None, 5)[5]) for line in lines if line.count("/"))
    return [file for file in files if file.name.startswith(stems)]


def _sha256(file: Path) -> str:
    digest: Any = hashlib.sha256()
    with file.open("rb") as opened:
        for block in iter(lambda: opened.read(2**20), b""):
            digest.update(block)
    return str(digest.hexdigest())
