"""What moves bytes: downloads, binary caches, and who hears of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from reprobuild.domain.cache import ArchiveDigests, CacheLookup
    from reprobuild.domain.digest import Digest
    from reprobuild.domain.narinfo import CacheEntry


class ByteProgress(Protocol):
    """Where long transfers report to; all calls may come from any thread."""

    def start(self, total_bytes: int, total_files: int) -> None: ...
    def advance(self, name: str, size_bytes: int) -> None: ...
    def finish(self, name: str) -> None: ...
    def note(self, text: str) -> None: ...
    def close(self) -> None: ...


class HttpClient(Protocol):
    def get(self, url: str) -> bytes:
        """The whole body of a small document.

        Raises:
            NetworkError: no answer or an error after all tries.
        """
        ...

    def find(self, url: str) -> bytes | None:
        """The same; None where the server says that there is none.

        Raises:
            NetworkError: no answer or another error after all tries.
        """
        ...

    def size_bytes(self, url: str) -> int:
        """Size of a file, without fetching it.

        Raises:
            NetworkError: no answer, or the server does not say.
        """
        ...

    def download(
        self, url: str, target: Path, *, expected_bytes: int | None = None, advance: Callable[[int], None]
    ) -> Digest:
        """Fetch into `target`, going on from `target`'s present size where the server can.

        Args:
            advance: told of every byte, those already there included; negative when it must start over.
        Returns:
            SHA-256 of the whole file; the caller compares it, and the size.
        Raises:
            NetworkError: no answer or an error after all tries; what was fetched stays for the next try.
        """
        ...


class CacheReader(Protocol):
    """What a binary cache has, read from its files; nothing is copied to the store."""

    def lookup(self, cache: str, paths: Iterable[str]) -> CacheLookup:
        """Ask a cache for its entries of some store paths, several at a time.

        Raises:
            UsageError: not an address of a binary cache, or there is none.
            NetworkError: it does not answer.
        """
        ...

    def digests(self, cache: str, entry: CacheEntry) -> ArchiveDigests:
        """Read a path's whole archive and hash it.

        Raises:
            NetworkError: it is not there, or breaks off.
            ValueError: it cannot be unpacked.
        """
        ...


class CacheCopier(Protocol):
    """Copies between the store and binary caches, with signatures."""

    def push(self, cache: str, paths: Sequence[str], *, compression: str, secret_key: Path | None) -> None:
        """Copy paths with all that they refer to; sign, also what the cache has already.

        Raises:
            ToolFailedError: Nix could not; carries its last lines.
        """
        ...

    def pull(self, cache: str, paths: Sequence[str], *, keys: Sequence[str], check_signatures: bool) -> None:
        """Copy paths with all that they refer to.

        Args:
            keys: trusted for this call, besides those of Nix's configuration.
        Raises:
            SignatureError: Nix refused a path for want of a trusted signature.
            ContentMismatchError: an archive has other content than its entry says.
            ToolFailedError: Nix could not for another reason.
        """
        ...
