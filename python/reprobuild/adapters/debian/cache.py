"""Which verified files do we have from last time?"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from reprobuild.domain.digest import Digest


class ArchiveCache:
    """Files of an archive below one folder; everything is checked again when it is read.

    Args:
        folder: made when first written to; None keeps nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def by_digest(self, digest: Digest) -> bytes | None:
        data = self._read(f"sha256/{digest.hex}")
        return data if data is not None and Digest.of_bytes(data) == digest else None

    def keep(self, data: bytes) -> None:
        self._write(f"sha256/{Digest.of_bytes(data).hex}", data)

    def release(self, suite: str, snapshot: str) -> bytes | None:
        """The InRelease file as it came: the caller verifies its signature anew."""
        return self._read(f"releases/{suite}-{snapshot}")

    def keep_release(self, suite: str, snapshot: str, data: bytes) -> None:
        self._write(f"releases/{suite}-{snapshot}", data)

    def _read(self, name: str) -> bytes | None:
        if self._folder is None:
            return None
        try:
            return (self._folder / name).read_bytes()
        except OSError:
            return None

    def _write(self, name: str, data: bytes) -> None:
        if self._folder is None:
            return
        target = self._folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(temporary).replace(target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
