"""JSON that has one reading: no duplicate keys, no NaN, UTF-8."""

from __future__ import annotations

import json
from typing import Any

from reprobuild_verify.problems import RefusedError


def parse_object(data: bytes, what: str) -> dict[str, Any]:
    """
    Raises:
        RefusedError: not one JSON object, or one that two parsers may read differently.
    """
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except _DuplicateKeyError as error:
        raise RefusedError("duplicate-json-key", f"{what}: the key {error} stands there twice") from error
    except (ValueError, RecursionError) as error:
        raise RefusedError("not-json", f"{what}: not JSON: {error}") from error
    if not isinstance(value, dict):
        raise RefusedError("not-json", f"{what}: not a JSON object")
    return value


class _DuplicateKeyError(Exception):
    pass


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _DuplicateKeyError(repr(key))
        found[key] = value
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number of JSON")
