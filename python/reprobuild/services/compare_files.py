"""Where do the bytes of two files differ? Equal bytes are passed at the speed of reading."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from reprobuild.core.comparison.sequences import first_difference

PIECE_BYTES = 128 << 10  # a multiple of every element's size; it stays in a core's own cache


def differing_pieces(
    first: BinaryIO, second: memoryview, first_start: int, second_start: int, size_bytes: int
) -> Iterator[tuple[int, memoryview, memoryview]]:
    """Pieces of two ranges that are not equal: offset within the range, and both sides, valid until the next.

    Args:
        first: an unbuffered file, or one that nobody else reads.
        second: as `mapped` gives it: one copy less makes up for the comparison.
    """
    # a bytearray, because that is compared with memcmp
    buffer = bytearray(min(PIECE_BYTES, size_bytes))
    first.seek(first_start)
    for offset in range(0, size_bytes, PIECE_BYTES):
        length = min(PIECE_BYTES, size_bytes - offset)
        if length < len(buffer):
            buffer = bytearray(length)
        _fill(first, buffer)
        other = second[second_start + offset : second_start + offset + length]
        if buffer != other:
            yield offset, memoryview(buffer), other


def mapped(file: BinaryIO) -> memoryview:
    """A file's content without copying it; the file must keep its size, as those of a store do."""
    size_bytes = file.seek(0, os.SEEK_END)
    if size_bytes == 0:  # cannot be mapped
        return memoryview(b"")
    return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def first_differing_byte(first: Path, second: Path) -> int | None:
    """Offset of the first byte that differs, or that one side alone has; None if the files are equal."""
    sizes = first.stat().st_size, second.stat().st_size
    with first.open("rb", buffering=0) as one, second.open("rb", buffering=0) as other:
        for offset, left, right in differing_pieces(one, mapped(other), 0, 0, min(sizes)):
            return offset + (first_difference(bytes(left), bytes(right)) or 0)
    return None if sizes[0] == sizes[1] else min(sizes)


def _fill(file: BinaryIO, buffer: bytearray) -> None:
    done: int = file.readinto(buffer)  # type: ignore[attr-defined]
    while done < len(buffer):
        count = file.readinto(memoryview(buffer)[done:])  # type: ignore[attr-defined]
        if not count:
            raise EOFError(f"{file.name} became shorter while it was read")
        done += count
