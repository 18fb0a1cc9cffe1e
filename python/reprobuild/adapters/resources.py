"""The data that travels with the package: Nix library, worker, templates.

In a wheel they lie in `reprobuild/_data`, in a checkout at its root; the layout below is the same.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def data_root() -> Path:
    """Folder with `nix/`, `python/reprobuild_worker/` and `templates/`."""
    packaged = _PACKAGE / "_data"
    return packaged if packaged.is_dir() else _PACKAGE.parent.parent


def nix_library() -> Path:
    return data_root() / "nix"


def templates() -> Path:
    return data_root() / "templates"
