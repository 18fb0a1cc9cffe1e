"""What a project keeps in binary caches, and what was found, sent or taken there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reprobuild.domain.lock import Source

State = Literal["missing", "damaged", "differs", "unsigned", "unread"]


@dataclass(frozen=True)
class CacheItem:
    """One store path of a project.

    Args:
        kind: of a source, as in the lock; `output`; or `reference`: what outputs refer to besides.
        size_bytes: of the file or of the archive; None where nobody here knows.
    """

    kind: str
    label: str
    path: str
    size_bytes: int | None = None
    source: Source | None = None


@dataclass(frozen=True)
class CacheFinding:
    """What is wrong with one path, or that it is not there."""

    item: CacheItem
    state: State
    detail: str = ""


@dataclass(frozen=True)
class KindCount:
    kind: str
    present: int
    present_bytes: int
    missing: int
    missing_bytes: int  # of those whose size is known


@dataclass(frozen=True)
class CacheCheck:
    cache: str
    counts: tuple[KindCount, ...]
    findings: tuple[CacheFinding, ...]
    archives_read: int

    @property
    def ok(self) -> bool:
        """All is there, whole and believed."""
        return not self.findings


@dataclass(frozen=True)
class CacheTransfer:
    """A push or a pull."""

    cache: str
    moved: tuple[CacheItem, ...]
    present: tuple[CacheItem, ...]  # were where they should go
    missing: tuple[CacheItem, ...] = ()  # asked for, and not there to be taken
