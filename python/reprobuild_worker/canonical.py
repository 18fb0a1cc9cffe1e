"""Canonical JSON: equal values give equal bytes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reprobuild_worker.errors import CanonicalJsonError


def canonical_json(value: Any, *, what: str = "value") -> bytes:
    """Write as JSON with sorted keys, two-space indent, shortest floats, UTF-8 and one newline at the end.

    numpy and torch scalars and arrays are taken as the numbers and lists they hold.

    Args:
        what: what an error calls the value, e.g. the file name.
    Raises:
        CanonicalJsonError: NaN, infinity, a key that is no string, or a type that JSON does not have.
    """
    plain = _plain(value, what)
    return (json.dumps(plain, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def write_json(path: Path, value: Any) -> None:
    """Write `canonical_json` to a file; folders on the way are made."""
    data = canonical_json(value, what=path.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _plain(value: Any, where: str) -> Any:
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise CanonicalJsonError(
                f"{where} is {float(value)!r}, which JSON cannot hold",
                hint="find where it comes from, or leave the value out",
            )
        return float(value)
    if isinstance(value, Mapping):
        return {_key(key, where): _plain(inner, f"{where}: {key}") for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [_plain(inner, f"{where}[{index}]") for index, inner in enumerate(value)]
    if hasattr(value, "tolist"):  # numpy and torch, scalars included
        return _plain(value.tolist(), where)
    raise CanonicalJsonError(f"{where} is a {type(value).__name__}, which JSON cannot hold")


def _key(key: Any, where: str) -> str:
    if not isinstance(key, str):
        raise CanonicalJsonError(f"{where} has the key {key!r}; keys must be strings")
    return key
