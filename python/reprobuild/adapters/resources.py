"""Folders of the data that travels with the package."""

from __future__ import annotations

from pathlib import Path

from reprobuild.core.package_data import data_root


def nix_library() -> Path:
    return data_root() / "nix"


def gpu_hook() -> Path:
    return nix_library() / "hook" / "reprobuild-gpu-hook"


def templates() -> Path:
    return data_root() / "templates"
