"""The edges of the system as Protocols: a service asks for one of these, `cli/wiring.py` hands in the adapter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from reprobuild.domain.lock import Source


class ByteProgress(Protocol):
    """Where long transfers report to; all calls may come from any thread."""

    def start(self, total_bytes: int, total_files: int) -> None: ...
    def advance(self, name: str, size_bytes: int) -> None: ...
    def finish(self, name: str) -> None: ...
    def note(self, text: str) -> None: ...


class HttpClient(Protocol):
    def get(self, url: str) -> bytes:
        """The whole body of a small document.

        Raises:
            NetworkError: no answer or an error after all tries.
        """
        ...

    def download(self, url: str, target: Path, *, expected_bytes: int, advance: Callable[[int], None]) -> None:
        """Fetch into `target`, going on from `target`'s present size where the server can.

        Raises:
            NetworkError: no answer or an error after all tries; what was fetched stays for the next try.
        """
        ...


class WheelLocator(Protocol):
    """Where pinned wheels can be had, asked of the ordinary client's configuration."""

    def locate(self, wheels: Sequence[Source], python_version: str) -> Mapping[str, Sequence[str]]:
        """File name → addresses (`file://` or `https://`), best first; absent when nobody has it."""
        ...


class SourceStore(Protocol):
    """The store as the fetcher sees it."""

    def present(self, paths: Sequence[str]) -> set[str]:
        """Which of these store paths are valid."""
        ...

    def substitute(self, paths: Sequence[str], caches: Sequence[str]) -> set[str]:
        """Copy what binary caches have into the store; returns the paths that came."""
        ...

    def add_fixed(self, file: Path, source: Source) -> str:
        """Add a checked file (or folder, mode recursive) under the source's store name.

        Raises:
            ContentMismatchError: the store computed another path than the lock implies.
        """
        ...
