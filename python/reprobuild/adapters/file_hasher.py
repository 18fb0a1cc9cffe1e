"""SHA-256 of files, remembered by what the file system says of them: nothing that has not changed is read twice."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from reprobuild.domain.digest import Digest


class CachedFileHasher:
    """Implements ports.FileHasher. A file counts as unchanged while its size, times and inode stay."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache

    def digest(self, file: Path) -> Digest:
        facts = file.stat()
        key = f"{facts.st_dev}:{facts.st_ino}:{facts.st_size}:{facts.st_mtime_ns}:{facts.st_ctime_ns}"
        entry = self._cache / f"{hashlib.sha256(str(file.resolve()).encode()).hexdigest()}.json"
        try:
            known = json.loads(entry.read_text(encoding="utf-8"))
            if known["key"] == key:
                return Digest(known["digest"])
        except (OSError, ValueError, KeyError, TypeError):
            pass  # not known, or damaged: read the file
        with file.open("rb") as stream:
            found = Digest.of_raw(hashlib.file_digest(stream, "sha256").digest())
        self._cache.mkdir(parents=True, exist_ok=True)
        part = entry.with_suffix(".part")
        part.write_text(json.dumps({"key": key, "digest": found}), encoding="utf-8")
        part.replace(entry)
        return found
