"""Where do two JSON documents part, and how?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from reprobuild.domain.comparison import JsonDifference

SHOWN_CHARACTERS = 120

State = Literal["value", "missing", "extra", "length", "key order", "element order", "spelling"]


@dataclass(frozen=True)
class ValueDifference:
    """One place that differs; values as Python holds them, None where a side has nothing."""

    key_path: str
    state: State
    first: Any
    second: Any


def differences(first: Any, second: Any, key_path: str = "") -> Iterator[ValueDifference]:
    """Every place at which two documents differ, in the order of the first one.

    The order of keys does not count here; a list whose elements have only changed places is one difference.
    """
    if isinstance(first, dict) and isinstance(second, dict):
        for key in [*first, *(key for key in second if key not in first)]:
            inner = _joined(key_path, key)
            if key not in second:
                yield ValueDifference(inner, "missing", first[key], None)
            elif key not in first:
                yield ValueDifference(inner, "extra", None, second[key])
            else:
                yield from differences(first[key], second[key], inner)
    elif isinstance(first, list) and isinstance(second, list):
        yield from _list_differences(first, second, key_path)
    elif not _same(first, second):
        yield ValueDifference(key_path, "value", first, second)


def written_difference(first: Any, second: Any, key_path: str = "") -> ValueDifference:
    """How two documents of equal values are written otherwise: first place with another order of keys."""
    found = _key_order(first, second, key_path)
    return found or ValueDifference("", "spelling", None, None)


def summary(file: str, found: list[ValueDifference]) -> JsonDifference:
    """The first difference stands for all of them."""
    one = found[0]
    return JsonDifference(
        file=file,
        state=one.state,
        key_path=one.key_path,
        first=None if one.state in ("extra", "spelling") else short(one.first),
        second=None if one.state in ("missing", "spelling") else short(one.second),
        differing_values=len(found),
    )


def short(value: Any) -> str:
    """JSON text of a value, on one line and not too long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"


def _list_differences(first: list[Any], second: list[Any], key_path: str) -> Iterator[ValueDifference]:
    if len(first) != len(second):
        yield ValueDifference(key_path, "length", first, second)
        return
    texts = [[json.dumps(element, sort_keys=True) for element in side] for side in (first, second)]
    if texts[0] != texts[1] and sorted(texts[0]) == sorted(texts[1]):
        yield ValueDifference(key_path, "element order", first, second)
        return
    for index, (one, other) in enumerate(zip(first, second, strict=True)):
        yield from differences(one, other, f"{key_path}[{index}]")


def _key_order(first: Any, second: Any, key_path: str) -> ValueDifference | None:
    if isinstance(first, dict):
        if list(first) != list(second):
            return ValueDifference(key_path, "key order", list(first), list(second))
        pairs = [(first[key], second[key], _joined(key_path, key)) for key in first]
    elif isinstance(first, list):
        pairs = [
            (one, other, f"{key_path}[{index}]")
            for index, (one, other) in enumerate(zip(first, second, strict=True))
        ]
    else:
        return None
    return next((found for pair in pairs if (found := _key_order(*pair))), None)


def _same(first: Any, second: Any) -> bool:
    # 1, 1.0 and true are equal for Python; nan is not equal to itself
    return type(first) is type(second) and (first == second or (first != first and second != second))


def _joined(key_path: str, key: str) -> str:
    return f"{key_path}.{key}" if key_path else key
