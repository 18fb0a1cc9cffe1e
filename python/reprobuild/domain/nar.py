"""Nix archives: the serialisation of a file tree that Nix hashes.

Source: Nix manual, "Nix Archive (NAR) format"; checked against `nix-store --dump`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from reprobuild.domain.digest import Digest


class File(NamedTuple):
    content: bytes
    executable: bool = False


class Link(NamedTuple):
    target: str


class Folder(NamedTuple):
    entries: Mapping[str, File | Link | Folder]


Tree = File | Link | Folder


class NarInfo(NamedTuple):
    digest: Digest  # of the archive
    size_bytes: int  # of the archive


def nar_of_tree(tree: Tree) -> NarInfo:
    return _hash(tree_chunks(tree))


def nar_of_folder(folder: Path) -> NarInfo:
    """Of what is on disk, read in pieces: what `nix-hash --type sha256` says of it."""

    def chunks() -> Iterator[bytes]:
        yield _string(b"nix-archive-1")
        yield from _disk_node(folder)

    return _hash(chunks())


def tree_chunks(tree: Tree) -> Iterator[bytes]:
    """The archive of a tree in memory, in pieces."""
    yield _string(b"nix-archive-1")
    yield from _tree_node(tree)


def write_tree(tree: Tree, target: Path) -> None:
    """Make the tree on disk.

    Raises:
        FileExistsError: something is there already.
    """
    match tree:
        case File(content, executable):
            with target.open("xb") as file:
                file.write(content)
            target.chmod(0o755 if executable else 0o644)
        case Link(link_target):
            target.symlink_to(link_target)
        case Folder(entries):
            target.mkdir()
            for name, entry in entries.items():
                write_tree(entry, target / name)


def seed_tree(busybox: bytes) -> Folder:
    """The folder that all builds start from: `bin/busybox`, and `bin/sh` as a link to it.

    The program must be called busybox: it finds out by its name what it is to do.
    """
    return Folder({"bin": Folder({"busybox": File(busybox, executable=True), "sh": Link("busybox")})})


def write_seed(busybox: bytes, folder: Path) -> NarInfo:
    """Make the seed's folder on disk; returns what Nix will compute of it."""
    tree = seed_tree(busybox)
    write_tree(tree, folder)
    return nar_of_tree(tree)


class NarHasher:
    """Digest of an archive that comes in pieces, and of the file's content where it holds one file and no folder."""

    def __init__(self) -> None:
        self._archive, self._content = hashlib.sha256(), hashlib.sha256()
        self._head = b""  # until the content begins
        self._left: int | None = None  # bytes of content to come; None: no single file, or not known yet
        self.size_bytes = 0

    def add(self, chunk: bytes) -> None:
        self._archive.update(chunk)
        self.size_bytes += len(chunk)
        if self._left is None and len(self._head) < _LONGEST_HEAD:
            self._head += chunk
            chunk = self._after_head()
        if self._left:
            content = chunk[: self._left]
            self._content.update(content)
            self._left -= len(content)

    def _after_head(self) -> bytes:
        for head in (_FLAT_HEAD, _FLAT_EXECUTABLE_HEAD):
            start = len(head) + 8
            if self._head.startswith(head) and len(self._head) >= start:
                self._left = int.from_bytes(self._head[len(head) : start], "little")
                return self._head[start:]
        return b""

    @property
    def digest(self) -> Digest:
        return Digest.of_raw(self._archive.digest())

    @property
    def file_digest(self) -> Digest | None:
        """Of the one file's content; None for folders, links, and what ended too early."""
        return Digest.of_raw(self._content.digest()) if self._left == 0 else None


def _hash(chunks: Iterator[bytes]) -> NarInfo:
    state = hashlib.sha256()
    size_bytes = 0
    for chunk in chunks:
        state.update(chunk)
        size_bytes += len(chunk)
    return NarInfo(Digest.of_raw(state.digest()), size_bytes)


def _string(data: bytes) -> bytes:
    """Length in 8 little-endian bytes, the bytes, zeros up to a multiple of 8."""
    return len(data).to_bytes(8, "little") + data + bytes(-len(data) % 8)


_OPEN, _CLOSE = _string(b"("), _string(b")")
_REGULAR = _OPEN + _string(b"type") + _string(b"regular")
_EXECUTABLE = _string(b"executable") + _string(b"")
_CONTENTS = _string(b"contents")
_SYMLINK = _OPEN + _string(b"type") + _string(b"symlink") + _string(b"target")
_DIRECTORY = _OPEN + _string(b"type") + _string(b"directory")
_NODE = _string(b"node")
_FLAT_HEAD = _string(b"nix-archive-1") + _REGULAR + _CONTENTS
_FLAT_EXECUTABLE_HEAD = _string(b"nix-archive-1") + _REGULAR + _EXECUTABLE + _CONTENTS
_LONGEST_HEAD = len(_FLAT_EXECUTABLE_HEAD) + 8


def _entry_head(name: bytes) -> bytes:
    return _string(b"entry") + _OPEN + _string(b"name") + _string(name) + _NODE


def _file_head(executable: bool, size_bytes: int) -> bytes:
    return _REGULAR + (_EXECUTABLE if executable else b"") + _CONTENTS + size_bytes.to_bytes(8, "little")


def _tree_node(tree: Tree) -> Iterator[bytes]:
    match tree:
        case File(content, executable):
            yield _file_head(executable, len(content))
            yield content
            yield bytes(-len(content) % 8) + _CLOSE
        case Link(target):
            yield _SYMLINK + _string(os.fsencode(target)) + _CLOSE
        case Folder(entries):
            yield _DIRECTORY
            for name, entry in sorted((os.fsencode(name), entry) for name, entry in entries.items()):
                yield _entry_head(name)
                yield from _tree_node(entry)
                yield _CLOSE
            yield _CLOSE


def _disk_node(path: Path) -> Iterator[bytes]:
    if path.is_symlink():
        yield _SYMLINK + _string(os.fsencode(path.readlink())) + _CLOSE
    elif path.is_dir():
        yield _DIRECTORY
        for name in sorted(os.fsencode(entry.name) for entry in path.iterdir()):
            yield _entry_head(name)
            yield from _disk_node(path / os.fsdecode(name))
            yield _CLOSE
        yield _CLOSE
    else:
        status = path.stat()
        yield _file_head(bool(status.st_mode & 0o100), status.st_size)
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                yield piece
        yield bytes(-status.st_size % 8) + _CLOSE
