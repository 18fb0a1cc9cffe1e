"""One digest for a set of named tensors, equal when every tensor is equal.

The same for a torch state dict, a dict of numpy arrays and a safetensors file (which needs neither library).

Source: docs/formats/weights-digest.md, version 1.
"""

from __future__ import annotations

import base64
import ctypes
import hashlib
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reprobuild_worker.errors import UnhashableTensorError
from reprobuild_worker.safetensors_file import tensor_bytes, tensor_entries

HEADER = b"reprobuild.weights/1\n"

# names of element types as safetensors writes them
TORCH_DTYPES = {
    "bool": "BOOL", "uint8": "U8", "int8": "I8", "int16": "I16", "uint16": "U16", "int32": "I32",
    "uint32": "U32", "int64": "I64", "uint64": "U64", "float16": "F16", "bfloat16": "BF16",
    "float32": "F32", "float64": "F64", "complex64": "C64", "float8_e4m3fn": "F8_E4M3",
    "float8_e5m2": "F8_E5M2",
}  # fmt: skip


@dataclass(frozen=True)
class TensorDigest:
    name: str
    dtype: str  # as safetensors writes it: "F32"
    shape: tuple[int, ...]
    digest: str  # SRI


@dataclass(frozen=True)
class WeightsDigest:
    digest: str  # SRI
    tensors: tuple[TensorDigest, ...]  # in name order


def sri(raw: bytes) -> str:
    """Write a raw SHA-256 digest as `sha256-BASE64`."""
    return "sha256-" + base64.b64encode(raw).decode()


def digest_state(state: Mapping[str, Any]) -> WeightsDigest:
    """Hash a state dict so that equal weights give equal digests.

    Args:
        state: name -> torch tensor or numpy array, any shape; copied to the CPU, not changed.
    Raises:
        UnhashableTensorError: a tensor is sparse, has no storage, or is no tensor.
    """
    return _join(
        _tensor_digest(name, *_describe(name, state[name]), [_little_endian(name, state[name])])
        for name in sorted(state)
    )


def digest_safetensors(path: Path) -> WeightsDigest:
    """Hash a safetensors file's tensors; its metadata and layout do not count.

    Raises:
        ValueError: it is not a well-formed safetensors file.
    """
    with path.open("rb") as file:
        return _join(
            _tensor_digest(entry.name, entry.dtype, entry.shape, tensor_bytes(file, entry))
            for entry in tensor_entries(file)
        )


def _tensor_digest(
    name: str, dtype: str, shape: tuple[int, ...], chunks: Iterable[Any]
) -> tuple[TensorDigest, bytes]:
    header = json.dumps([name, dtype, list(shape)], ensure_ascii=False, separators=(",", ":"))
    hasher = hashlib.sha256(header.encode() + b"\n")
    for chunk in chunks:
        hasher.update(chunk)
    return TensorDigest(name, dtype, shape, sri(hasher.digest())), hasher.digest()


def _join(tensors: Iterable[tuple[TensorDigest, bytes]]) -> WeightsDigest:
    hasher = hashlib.sha256(HEADER)
    entries = []
    for entry, raw in tensors:
        hasher.update(raw)
        entries.append(entry)
    return WeightsDigest(sri(hasher.digest()), tuple(entries))


def is_torch_tensor(value: Any) -> bool:
    """Tell without importing torch."""
    return hasattr(value, "data_ptr") and hasattr(value, "layout")


def _describe(name: str, tensor: Any) -> tuple[str, tuple[int, ...]]:
    if is_torch_tensor(tensor):
        if str(tensor.layout) != "torch.strided" or tensor.device.type == "meta":
            raise UnhashableTensorError(f"tensor {name} is sparse or has no storage")
        dtype = TORCH_DTYPES.get(str(tensor.dtype).removeprefix("torch."))
    elif hasattr(tensor, "__array_interface__"):
        dtype = TORCH_DTYPES.get(tensor.dtype.newbyteorder("=").name)
    else:
        raise UnhashableTensorError(f"{name} is a {type(tensor).__name__}, not a tensor or array")
    if dtype is None:
        raise UnhashableTensorError(f"tensor {name} is of type {tensor.dtype}, which has no digest")
    return dtype, tuple(int(size) for size in tensor.shape)


def _little_endian(name: str, tensor: Any) -> Any:
    """The tensor's elements in row order, as something that a hash can read."""
    if is_torch_tensor(tensor):
        if sys.byteorder != "little":
            raise UnhashableTensorError(f"tensor {name}: this machine is not little-endian")
        plain = tensor.detach().cpu().resolve_conj().resolve_neg().contiguous()
        size_bytes = plain.numel() * plain.element_size()
        if size_bytes == 0:
            return b""
        # read in place: neither a copy nor numpy is needed, and bfloat16 works as well
        buffer = (ctypes.c_ubyte * size_bytes).from_address(plain.data_ptr())
        buffer._tensor = plain  # keeps the memory alive
        return memoryview(buffer)
    return tensor.astype(tensor.dtype.newbyteorder("<"), copy=False).tobytes(order="C")
