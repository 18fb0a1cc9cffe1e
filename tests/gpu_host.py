"""A folder that stands for a machine with an NVIDIA GPU: stand-ins, no hardware. And the hook that looks at it."""

from __future__ import annotations

from pathlib import Path

HOOK = Path(__file__).resolve().parents[1] / "nix/hook/reprobuild-gpu-hook"
DEVICES = ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset")
CAPS = ("nvidia-cap1", "nvidia-cap2")
VERSION = "580.65.06"
# As a driver's package installs them: a versioned file, and links to it.
LIBRARIES = ("libcuda", "libnvidia-ml", "libnvidia-ptxjitcompiler")
LIBRARY_FOLDER = "usr/lib/x86_64-linux-gnu"


def write_gpu_host(root: Path, *, devices: tuple[str, ...] = DEVICES, libraries: bool = True) -> Path:
    """Plain files as device nodes and driver libraries; each says its own name."""
    (root / "dev/nvidia-caps").mkdir(parents=True)
    (root / "dev/sda").write_text("a disk")
    for name in devices:
        (root / "dev" / name).write_text(name)
    for name in CAPS:
        (root / "dev/nvidia-caps" / name).write_text(name)
    folder = root / LIBRARY_FOLDER
    folder.mkdir(parents=True)
    (folder / "libGLX_nvidia.so.0").write_text("draws")
    for name in LIBRARIES if libraries else ():
        (folder / f"{name}.so.{VERSION}").write_text(f"{name} {VERSION}")
        (folder / f"{name}.so.1").symlink_to(f"{name}.so.{VERSION}")
        (folder / f"{name}.so").symlink_to(f"{name}.so.1")
    return root


def write_hook(folder: Path, root: Path) -> Path:
    """The hook, looking at a stand-in; Nix passes a derivation alone."""
    script = folder / "gpu-hook"
    script.write_text(f'#!/bin/sh\nexec {HOOK} --root {root} "$@"\n')
    script.chmod(0o755)
    return script
