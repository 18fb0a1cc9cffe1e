"""What is inside an archive, apart from how it was packed?"""

from __future__ import annotations

import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from dataclasses import dataclass

MAX_MEMBER_BYTES = 64 << 20
MAX_ARCHIVE_BYTES = 256 << 20  # of all members, unpacked


@dataclass(frozen=True)
class Member:
    """
    Args:
        packing: what the archive says of the member besides its content, in words.
    """

    name: str
    content: bytes
    packing: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Archive:
    format: str
    members: tuple[Member, ...]  # in the order of the archive


_BROKEN = (zlib.error, lzma.LZMAError, struct.error, zipfile.BadZipFile, tarfile.TarError)


def read_archive(data: bytes) -> Archive | None:
    """None if it is no archive that we read, is broken, or holds a member that is too large."""
    try:
        if data[:2] == b"\x1f\x8b":
            return Archive("gzip", (_gzip_member(data),))
        if data[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
            return Archive("zip", _zip_members(data))
        if data[257:262] == b"ustar":
            return Archive("tar", _tar_members(data))
    except (*_BROKEN, ValueError, OSError, EOFError, RuntimeError):
        return None
    return None


def packing_difference(first: Archive, second: Archive) -> str | None:
    """In which way two archives with the same members and contents were packed otherwise; None if not so."""
    sides = [{member.name: member for member in side.members} for side in (first, second)]
    if sides[0].keys() != sides[1].keys():
        return None
    if any(sides[0][name].content != sides[1][name].content for name in sides[0]):
        return None
    names = [[member.name for member in side.members] for side in (first, second)]
    if names[0] != names[1]:
        place = next(index for index, pair in enumerate(zip(*names, strict=True)) if pair[0] != pair[1])
        return f"other order: member {place + 1} is {names[0][place]} and {names[1][place]}"
    for name, member in sides[0].items():
        for (what, value), (_, other) in zip(member.packing, sides[1][name].packing, strict=True):
            if value != other:
                return f"other {what} of {name or 'the content'}: {value} and {other}"
    return "other compression or padding"


def _gzip_member(data: bytes) -> Member:
    (time_s,) = struct.unpack("<I", data[4:8])
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
        content = file.read(MAX_MEMBER_BYTES + 1)
    name = data[10 : data.index(b"\0", 10)].decode("latin-1") if data[3] & 8 else ""
    return Member("", _bounded(content), (("time", str(time_s)), ("file name", name)))


def _zip_members(data: bytes) -> tuple[Member, ...]:
    members = []
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        if sum(entry.file_size for entry in file.infolist()) > MAX_ARCHIVE_BYTES:
            raise ValueError("the members are too large")
        for entry in file.infolist():
            time = "{:04}-{:02}-{:02} {:02}:{:02}:{:02}".format(*entry.date_time)
            packing = (
                ("time", time),
                ("mode", oct(entry.external_attr >> 16)),
                ("system", str(entry.create_system)),
                ("extra fields", entry.extra.hex()),
            )
            members.append(Member(entry.filename, file.read(entry), packing))
    return tuple(members)


def _tar_members(data: bytes) -> tuple[Member, ...]:
    members = []
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as file:
        for entry in file:
            stream = file.extractfile(entry) if entry.isreg() else None
            content = stream.read(MAX_MEMBER_BYTES + 1) if stream else entry.linkname.encode()
            packing = (
                ("time", str(entry.mtime)),
                ("mode", oct(entry.mode)),
                ("owner", f"{entry.uid}:{entry.gid} {entry.uname}:{entry.gname}"),
                ("headers", str(sorted(entry.pax_headers.items()))),
            )
            members.append(Member(entry.name, _bounded(content), packing))
    return tuple(members)


def _bounded(content: bytes) -> bytes:
    if len(content) > MAX_MEMBER_BYTES:
        raise ValueError("a member is too large")
    return content
