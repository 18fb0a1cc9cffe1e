"""Where things lie, as the environment says."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path


def cache_home() -> Path:
    """`$XDG_CACHE_HOME/reprobuild`, by default `~/.cache/reprobuild`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "reprobuild"


def templates() -> Path:
    """Folder with the projects that `reprobuild init` starts from."""
    from reprobuild.adapters import resources

    return resources.templates()


def all_caches(given: Sequence[str]) -> tuple[str, ...]:
    """Binary caches: those of the call, then those of REPROBUILD_CACHES (separated by spaces)."""
    return (*given, *os.environ.get("REPROBUILD_CACHES", "").split())
