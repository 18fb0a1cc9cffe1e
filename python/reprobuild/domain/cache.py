"""What reading a binary cache gives."""

from __future__ import annotations

from dataclasses import dataclass

from reprobuild.domain.digest import Digest
from reprobuild.domain.narinfo import CacheEntry


@dataclass(frozen=True)
class CacheLookup:
    found: dict[str, CacheEntry]  # store path → its entry
    damaged: dict[str, str]  # store path → what is wrong with its entry


@dataclass(frozen=True)
class ArchiveDigests:
    """Of one archive as it was read.

    Args:
        file_digest: of the archive as it lies in the cache, `file_size_bytes` long.
        nar_digest: of what it unpacks to; None for a compression that is not unpacked here.
        content_digest: of the file in it; None where it holds a folder or a link.
    """

    file_digest: Digest
    file_size_bytes: int
    nar_digest: Digest | None
    content_digest: Digest | None
