"""Are these the bytes that the lock names? Checks files, and guards half-fetched ones."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from reprobuild.domain.digest import Digest
from reprobuild.domain.lock import LOCK_FILE
from reprobuild.errors import ContentMismatchError, NetworkError
from reprobuild.services.fetch_places import Place, Wanted

_CHUNK_BYTES = 1 << 20
_POLL_S = 0.1


class FetchStopped(Exception):  # noqa: N818 - not an error: the user wants to stop
    """Somebody set the stop event; what was fetched so far stays."""


def sha256_of(file: Path, advance: Callable[[int], None]) -> Digest:
    def chunks() -> Iterator[bytes]:
        with file.open("rb") as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                advance(len(chunk))
                yield chunk

    return Digest.of_chunks(chunks())


def check_file(file: Path, wanted: Wanted, place: Place, advance: Callable[[int], None]) -> None:
    """
    Raises:
        ContentMismatchError: digest or size differs from the lock.
        NetworkError: the file cannot be read.
    """
    try:
        size_bytes = file.stat().st_size
        digest = sha256_of(file, advance)
    except OSError as error:
        raise NetworkError(
            f"{file}: {error.strerror or error}", hint="see why the file cannot be read"
        ) from error
    if digest != wanted.digest or size_bytes != wanted.size_bytes:
        raise mismatch(wanted, place, digest, size_bytes)


def mismatch(wanted: Wanted, place: Place, digest: Digest, size_bytes: int) -> ContentMismatchError:
    """Both hashes (or sizes) and where each comes from."""
    source = wanted.source
    expected, actual = str(wanted.digest), str(digest)
    if digest == wanted.digest or (size_bytes > wanted.size_bytes and place.file is None):
        # of a longer download only one byte too many was read: its digest means nothing
        more = "more than " if digest != wanted.digest else ""
        expected = f"{wanted.digest}, {wanted.size_bytes:,} bytes"
        actual = f"{more}{wanted.size_bytes if more else size_bytes:,} bytes"
    kind = "dataset" if source.kind == "data" else source.kind
    version = f" {source.version}" if source.version else ""
    part = source.name if source.kind in ("data", "wheel") else "base"
    return ContentMismatchError(
        f"{kind} {source.name}{version}: content differs from the lock",
        expected=expected,
        expected_from=LOCK_FILE,
        actual=actual,
        actual_from=source.path if place.kind == "project" else place.label,
        hint=f"if the change is intended, run `reprobuild lock --update {part}`",
    )


@contextmanager
def part_of(target: Path, stop: threading.Event) -> Iterator[Path]:
    """The `.part` file beside the target's folder, ours alone among all processes until we leave.

    Raises:
        FetchStopped: stopped while another process held it.
    """
    part = target.parent.with_name(f"{target.parent.name}.part")
    part.parent.mkdir(parents=True, exist_ok=True)
    while True:
        handle = os.open(part, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            while not _locked(handle):
                if stop.wait(_POLL_S):
                    raise FetchStopped
            try:
                ours = os.path.samestat(os.fstat(handle), part.stat())
            except FileNotFoundError:
                ours = False  # its holder has finished or refused it meanwhile
            if ours:
                yield part
                return
        finally:
            os.close(handle)


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
