"""What is in a safetensors file? Read with the standard library, streaming.

The format: 8 bytes little-endian header size, a JSON header name -> {dtype, shape, data_offsets}, the bytes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

MAX_HEADER_BYTES = 100_000_000  # the limit of the safetensors library
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class TensorEntry:
    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int  # position in the file
    size_bytes: int


def tensor_entries(file: BinaryIO) -> list[TensorEntry]:
    """List the tensors in name order.

    Raises:
        ValueError: it is not a well-formed safetensors file.
    """
    file_size = file.seek(0, os.SEEK_END)
    file.seek(0)
    header_size = int.from_bytes(file.read(8), "little")
    data_start = 8 + header_size
    if file_size < 8 or header_size > MAX_HEADER_BYTES or data_start > file_size:
        raise ValueError("not a safetensors file: the header does not fit")
    header = json.loads(file.read(header_size))
    if not isinstance(header, dict):
        raise ValueError("not a safetensors file: the header is no JSON object")
    header.pop("__metadata__", None)
    entries = []
    for name in sorted(header):
        try:
            dtype, shape, (begin, end) = (header[name][key] for key in ("dtype", "shape", "data_offsets"))
        except (KeyError, TypeError, ValueError):
            raise ValueError(f"not a safetensors file: tensor {name} is not described") from None
        if not 0 <= begin <= end <= file_size - data_start:
            raise ValueError(f"not a safetensors file: tensor {name} lies outside of it")
        entries.append(TensorEntry(name, dtype, tuple(shape), data_start + begin, end - begin))
    return entries


def tensor_bytes(file: BinaryIO, entry: TensorEntry) -> Iterator[bytes]:
    """A tensor's bytes, a megabyte at a time."""
    file.seek(entry.start)
    left = entry.size_bytes
    while left:
        chunk = file.read(min(CHUNK_BYTES, left))
        if not chunk:
            raise ValueError(f"tensor {entry.name} is cut off")
        left -= len(chunk)
        yield chunk
