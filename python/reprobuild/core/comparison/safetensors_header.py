"""Which tensors does a safetensors file hold, and where? Read from its header.

The format: 8 bytes little-endian header size, a JSON header name -> {dtype, shape, data_offsets}, the bytes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

MAX_HEADER_BYTES = 100_000_000  # the limit of the safetensors library


@dataclass(frozen=True)
class TensorEntry:
    name: str
    dtype: str  # as safetensors writes it: "F32"
    shape: tuple[int, ...]
    start: int  # position in the file
    size_bytes: int


@dataclass(frozen=True)
class SafetensorsHeader:
    tensors: dict[str, TensorEntry]  # in the order of the header
    metadata: dict[str, Any]


def header_size_bytes(start: bytes, file_size_bytes: int) -> int:
    """Size of the JSON header, from the file's first 8 bytes.

    Raises:
        ValueError: it is not a well-formed safetensors file.
    """
    size = int.from_bytes(start[:8], "little")
    if len(start) < 8 or size > MAX_HEADER_BYTES or 8 + size > file_size_bytes:
        raise ValueError("not a safetensors file: the header does not fit")
    return size


def parse_header(header: bytes, file_size_bytes: int) -> SafetensorsHeader:
    """
    Args:
        header: the JSON alone, without the 8 bytes before it.
    Raises:
        ValueError: it is not a well-formed safetensors file.
    """
    document = json.loads(header)
    if not isinstance(document, dict):
        raise ValueError("not a safetensors file: the header is no JSON object")
    metadata = document.pop("__metadata__", None) or {}
    data_start = 8 + len(header)
    tensors = {}
    for name, described in document.items():
        try:
            dtype, shape, (begin, end) = (described[key] for key in ("dtype", "shape", "data_offsets"))
            entry = TensorEntry(name, str(dtype), tuple(map(int, shape)), data_start + begin, end - begin)
        except (KeyError, TypeError, ValueError):
            raise ValueError(f"not a safetensors file: tensor {name} is not described") from None
        if not 0 <= begin <= end <= file_size_bytes - data_start:
            raise ValueError(f"not a safetensors file: tensor {name} lies outside of it")
        tensors[name] = entry
    return SafetensorsHeader(tensors, metadata if isinstance(metadata, dict) else {})
