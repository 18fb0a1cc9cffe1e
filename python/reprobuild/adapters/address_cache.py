"""Addresses of wheels learned when locking, kept outside the lock, so that a fetch needs to ask nobody."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from reprobuild.core.addresses import redact
from reprobuild.domain.digest import Digest

_KEPT = 8  # addresses of one file


class AddressCache:
    """One small file per digest. A damaged or missing one only costs a question to the index."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, digest: Digest) -> tuple[str, ...]:
        try:
            found = json.loads(self._file(digest).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return ()
        if not isinstance(found, list):
            return ()
        return tuple(url for url in found if isinstance(url, str))

    def add(self, digest: Digest, urls: Sequence[str]) -> None:
        """Remember addresses, the newest first; none that could hold a secret."""
        plain = [url for url in urls if not urlsplit(url).query and redact(url) == url.partition("#")[0]]
        known = self.get(digest)
        merged = tuple(dict.fromkeys([*(redact(url) for url in plain), *known]))[:_KEPT]
        if merged == known or not merged:
            return
        file = self._file(digest)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            handle, part = tempfile.mkstemp(dir=file.parent, suffix=".part")
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                json.dump(merged, stream)
            Path(part).replace(file)
        except OSError:
            return  # a cache nobody can write is no cache

    def _file(self, digest: Digest) -> Path:
        return self._folder / digest.hex[:2] / f"{digest.hex}.json"
