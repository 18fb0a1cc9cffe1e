"""Read what a binary cache has: its entries (`HASH.narinfo`) and archives, several at a time."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import shutil
import subprocess
import tempfile
import zlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, cast

from reprobuild.adapters.binary_cache.address import CacheAddress, known_cache
from reprobuild.domain.cache import ArchiveDigests, CacheLookup
from reprobuild.domain.digest import Digest
from reprobuild.domain.nar import NarHasher
from reprobuild.domain.narinfo import CacheEntry, entry_name, parse_narinfo
from reprobuild.domain.store_path import STORE_DIR
from reprobuild.errors import NetworkError, UsageError
from reprobuild.ports import HttpClient

_AT_ONCE = 16
_CHUNK_BYTES = 1 << 20
# compression → what unpacks it
_UNPACK: dict[str, Callable[[IO[bytes]], IO[bytes]]] = {
    "none": lambda file: file,
    "": lambda file: file,
    "xz": lambda file: cast(IO[bytes], lzma.LZMAFile(file)),  # noqa: SIM115
    "bzip2": lambda file: cast(IO[bytes], bz2.BZ2File(file)),
    "gzip": lambda file: cast(IO[bytes], gzip.GzipFile(fileobj=file)),
}
# What is not in the standard library of every Python that we support: compression → a program, if it is installed
_PROGRAMS = {"zstd": "zstd", "br": "brotli"}


class BinaryCacheReader:
    """Implements ports.CacheReader."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def lookup(self, cache: str, paths: Iterable[str]) -> CacheLookup:
        address = known_cache(cache)
        try:
            return self._lookup(address, paths)
        except NetworkError as error:
            if address.gateway is None:
                raise
            raise NetworkError(
                error.message.replace(address.gateway, address.label),
                details=error.details,
                hint="check the endpoint, and the login: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile; "
                "it must be allowed to list the bucket and read its files",
            ) from None

    def _lookup(self, address: CacheAddress, paths: Iterable[str]) -> CacheLookup:
        self._require_cache(address)
        found: dict[str, CacheEntry] = {}
        damaged: dict[str, str] = {}

        def ask(path: str) -> None:
            text = self._http.find(f"{address.base_url}/{entry_name(path)}")
            if text is None:
                return
            try:
                entry = parse_narinfo(text.decode())
                if entry.path != path:
                    raise ValueError(f"speaks of {entry.path}")
                found[path] = entry
            except ValueError as error:
                damaged[path] = f"{entry_name(path)}: {error}"

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for _ in pool.map(ask, dict.fromkeys(paths)):
                pass
        return CacheLookup(found, damaged)

    def _require_cache(self, address: CacheAddress) -> None:
        about = self._http.find(f"{address.base_url}/nix-cache-info")
        if about is None:
            raise UsageError(
                f"{address.label}: no binary cache",
                expected="a file nix-cache-info",
                actual="none",
                actual_from=address.label,
                hint="check the address, or make the cache with `reprobuild cache push`",
            )
        fields = dict(
            line.split(": ", 1) for line in about.decode("utf-8", "replace").splitlines() if ": " in line
        )
        if fields.get("StoreDir", STORE_DIR) != STORE_DIR:
            raise UsageError(
                f"{address.label}: a cache of another store",
                expected=STORE_DIR,
                actual=fields["StoreDir"],
                actual_from=f"{address.label}/nix-cache-info",
            )

    def digests(self, cache: str, entry: CacheEntry) -> ArchiveDigests:
        address = known_cache(cache)
        if address.folder is not None:
            file = address.folder / entry.url
            try:
                return _digests(file, entry.compression)
            except FileNotFoundError:
                raise NetworkError(f"{file}: No such file or directory") from None
        with tempfile.TemporaryDirectory(prefix="reprobuild-") as folder:
            file = Path(folder) / "archive"
            self._http.download(
                f"{address.base_url}/{entry.url}",
                file,
                expected_bytes=entry.file_size_bytes,
                advance=lambda _: None,
            )
            return _digests(file, entry.compression)


def _digests(file: Path, compression: str) -> ArchiveDigests:
    """
    Raises:
        ValueError: it cannot be unpacked.
    """
    unpack = _UNPACK.get(compression)
    if unpack is None:
        return _digests_by_program(file, _PROGRAMS.get(compression))
    nar = NarHasher()
    with file.open("rb") as opened:
        counted = _Counted(opened)
        unpacked = unpack(cast(IO[bytes], counted))
        try:
            while chunk := unpacked.read(_CHUNK_BYTES):
                nar.add(chunk)
        except (lzma.LZMAError, zlib.error, EOFError, OSError) as error:
            raise ValueError(f"cannot be unpacked: {error}") from error
        while counted.read(_CHUNK_BYTES):
            pass
    return ArchiveDigests(counted.digest, counted.size_bytes, nar.digest, nar.file_digest)


def _digests_by_program(file: Path, program: str | None) -> ArchiveDigests:
    """
    Raises:
        ValueError: the program cannot unpack it.
    """
    with file.open("rb") as opened:
        packed = Digest.of_raw(hashlib.file_digest(opened, "sha256").digest())
    size_bytes = file.stat().st_size
    if program is None or (found := shutil.which(program)) is None:
        return ArchiveDigests(packed, size_bytes, None, None)
    nar = NarHasher()
    with (
        file.open("rb") as opened,
        subprocess.Popen(
            [found, "-d", "-c"], stdin=opened, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as unpacking,
    ):
        assert unpacking.stdout is not None
        while chunk := unpacking.stdout.read(_CHUNK_BYTES):
            nar.add(chunk)
    if unpacking.returncode != 0:
        raise ValueError(f"cannot be unpacked: {program} ended with status {unpacking.returncode}")
    return ArchiveDigests(packed, size_bytes, nar.digest, nar.file_digest)


class _Counted(io.RawIOBase):
    """A file whose digest is taken while it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._state = file, hashlib.sha256()
        self.size_bytes = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        chunk = self._file.read(size)
        self._state.update(chunk)
        self.size_bytes += len(chunk)
        return chunk

    @property
    def digest(self) -> Digest:
        return Digest.of_raw(self._state.digest())
