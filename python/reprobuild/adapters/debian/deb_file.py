"""What is in a `.deb`?

Enough of the format to take the seed out of busybox-static before there is anything to unpack packages with, and to
read under which licence a package is.
Source: deb(5), ar(5).
"""

from __future__ import annotations

import io
import lzma
import posixpath
import tarfile
import zlib
from collections.abc import Iterator

from reprobuild.errors import NotYetSupportedError, ResolveError

BUSYBOX_PATHS = ("usr/bin/busybox", "bin/busybox")  # Debian 13, Debian 12

_MAGIC = b"!<arch>\n"
_HEADER_BYTES = 60


def busybox_of(deb: bytes) -> bytes:
    """The busybox program of a busybox-static package."""
    return read_member(deb, BUSYBOX_PATHS)


def read_member(deb: bytes, paths: tuple[str, ...]) -> bytes:
    """The first regular file at one of these paths inside the package.

    Raises:
        ResolveError: not a package, or none of the files is in it.
        NotYetSupportedError: its data is compressed with zstd, which Debian 12 and 13 do not use.
    """
    for name, content in _ar_members(deb):
        if not name.startswith("data.tar"):
            continue
        if name.endswith(".zst"):
            raise NotYetSupportedError(
                "package is compressed with zstd",
                expected="data.tar.xz or data.tar.gz",
                actual=name,
                hint="take the package from a Debian suite; other distributions' packages do not work here",
            )
        try:
            found = _tar_member(content, paths)
        except (tarfile.TarError, lzma.LZMAError, zlib.error, OSError, EOFError) as error:
            raise _bad(f"a {name} that can be read", str(error).split("\n", 1)[0]) from error
        if found is not None:
            return found
        raise _bad(" or ".join(paths), "not in the package")
    raise _bad("data.tar", "not in the package")


def read_copyright(deb: bytes, package: str) -> tuple[str | None, str | None]:
    """A package's copyright file, or else the package whose file it is a link to; neither where there is none.

    Raises:
        ResolveError: not a package, or damaged.
    """
    folder = f"usr/share/doc/{package}"
    for name, content in _ar_members(deb):
        if not name.startswith("data.tar"):
            continue
        try:
            with tarfile.open(fileobj=io.BytesIO(content), mode="r:*") as archive:
                for member in archive:
                    path = member.name.removeprefix("./")
                    if member.issym() and path in (folder, f"{folder}/copyright"):
                        return None, _linked(path, member.linkname)
                    file = archive.extractfile(member) if path == f"{folder}/copyright" else None
                    if file is not None:
                        return file.read().decode("utf-8", "replace"), None
        except (tarfile.TarError, lzma.LZMAError, zlib.error, OSError, EOFError) as error:
            raise _bad(f"a {name} that can be read", str(error).split("\n", 1)[0]) from error
    return None, None


def _linked(path: str, target: str) -> str:
    """The package in whose folder of documentation a link ends."""
    parts = posixpath.normpath(posixpath.join("/", posixpath.dirname(path), target)).split("/")
    return parts[4] if parts[1:4] == ["usr", "share", "doc"] and len(parts) > 4 else target


def _tar_member(content: bytes, paths: tuple[str, ...]) -> bytes | None:
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:*") as archive:
        for member in archive:
            path = member.name.removeprefix("./")
            if path in paths and member.isreg() and (file := archive.extractfile(member)) is not None:
                return file.read()
    return None


def _ar_members(data: bytes) -> Iterator[tuple[str, bytes]]:
    if not data.startswith(_MAGIC):
        raise _bad("an ar archive", repr(data[:8]))
    position = len(_MAGIC)
    while position + _HEADER_BYTES <= len(data):
        header = data[position : position + _HEADER_BYTES]
        position += _HEADER_BYTES
        try:
            size_bytes = int(header[48:58])
        except ValueError as error:
            raise _bad("a size in an ar header", repr(header[48:58])) from error
        if header[58:] != b"`\n" or position + size_bytes > len(data):
            raise _bad("a complete ar member", "cut short")
        yield (
            header[:16].decode("ascii", "replace").strip().rstrip("/"),
            data[position : position + size_bytes],
        )
        position += size_bytes + size_bytes % 2


def _bad(expected: str, actual: str) -> ResolveError:
    return ResolveError(
        "package file cannot be read",
        expected=expected,
        actual=actual,
        hint="fetch it again; if it stays so, report the package's name",
    )
