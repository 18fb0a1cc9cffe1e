"""Where does the data lie that travels with the package: Nix library, worker, templates?"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def data_root() -> Path:
    """Folder with `nix/`, `python/reprobuild_worker/` and `templates/`.

    In a wheel it is `reprobuild/_data`, in a checkout its root; the layout below is the same.
    """
    packaged = _PACKAGE / "_data"
    return packaged if packaged.is_dir() else _PACKAGE.parent.parent
