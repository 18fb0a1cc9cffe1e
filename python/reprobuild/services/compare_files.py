"""Where do the bytes of two files differ? Equal bytes are passed at the speed of reading."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from reprobuild.core.comparison.sequences import first_difference

PIECE_BYTES = 128 << 10  # a multiple of every element's size; two of them stay in a core's own cache


def differing_pieces(
    first: BinaryIO, second: BinaryIO, first_start: int, second_start: int, size_bytes: int
) -> Iterator[tuple[int, memoryview, memoryview]]:
    """Pieces of two ranges that are not equal: offset within the range, and both sides, valid until the next.

    Args:
        first: an unbuffered file, or one that nobody else reads.
    """
    # bytearrays, because only they are compared with memcmp
    buffers = bytearray(PIECE_BYTES), bytearray(PIECE_BYTES)
    first.seek(first_start)
    second.seek(second_start)
    for offset in range(0, size_bytes, PIECE_BYTES):
        length = min(PIECE_BYTES, size_bytes - offset)
        if length < PIECE_BYTES:
            buffers = bytearray(length), bytearray(length)
        _fill(first, buffers[0])
        _fill(second, buffers[1])
        if buffers[0] != buffers[1]:
            yield offset, memoryview(buffers[0]), memoryview(buffers[1])


def first_differing_byte(first: Path, second: Path) -> int | None:
    """Offset of the first byte that differs, or that one side alone has; None if the files are equal."""
    sizes = first.stat().st_size, second.stat().st_size
    with first.open("rb", buffering=0) as one, second.open("rb", buffering=0) as other:
        for offset, left, right in differing_pieces(one, other, 0, 0, min(sizes)):
            return offset + (first_difference(bytes(left), bytes(right)) or 0)
    return None if sizes[0] == sizes[1] else min(sizes)


def _fill(file: BinaryIO, buffer: bytearray) -> None:
    done: int = file.readinto(buffer)  # type: ignore[attr-defined]
    while done < len(buffer):
        count = file.readinto(memoryview(buffer)[done:])  # type: ignore[attr-defined]
        if not count:
            raise EOFError(f"{file.name} became shorter while it was read")
        done += count
