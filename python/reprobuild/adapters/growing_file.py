"""How far is a download, and what is the digest of what came?"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reprobuild.domain.digest import Digest

CHUNK_BYTES = 1 << 18


class GrowingFile:
    """A download as far as it came; what is there already is read first.

    Args:
        expected_bytes: of the whole file; at most one byte more is written, which shows that it is another one.
        advance: told of every byte, and of a negative number at a new start.
    """

    def __init__(self, target: Path, expected_bytes: int | None, advance: Callable[[int], None]) -> None:
        self._target, self._expected, self._advance = target, expected_bytes, advance
        self._hash = hashlib.sha256()
        self.size_bytes = 0

    def __enter__(self) -> GrowingFile:
        self._stream = self._target.open("a+b")
        self._stream.seek(0)
        try:
            while chunk := self._stream.read(CHUNK_BYTES):
                self._count(chunk)
            if self._expected is not None and self.size_bytes > self._expected:
                self.start_over()
        except BaseException:
            self._stream.close()
            raise
        return self

    def __exit__(self, *_: Any) -> None:
        self._stream.close()

    def add(self, chunk: bytes) -> None:
        if self._expected is not None:
            chunk = chunk[: self._expected + 1 - self.size_bytes]
        self._stream.write(chunk)
        self._count(chunk)

    def start_over(self) -> None:
        self._stream.truncate(0)
        if self.size_bytes:
            self._advance(-self.size_bytes)
        self._hash, self.size_bytes = hashlib.sha256(), 0

    @property
    def full(self) -> bool:
        return self._expected is not None and self.size_bytes >= self._expected

    @property
    def too_long(self) -> bool:
        return self._expected is not None and self.size_bytes > self._expected

    @property
    def short(self) -> bool:
        return self._expected is not None and self.size_bytes < self._expected

    @property
    def digest(self) -> Digest:
        return Digest.of_raw(self._hash.digest())

    def _count(self, chunk: bytes) -> None:
        self._hash.update(chunk)
        self.size_bytes += len(chunk)
        self._advance(len(chunk))
