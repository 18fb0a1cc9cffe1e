"""Which named values differ between two trees of JSON values?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reprobuild.core.spec_keys import key_path
from reprobuild.domain.difference import State, ValueChange


def value_changes(first: Mapping[str, Any], second: Mapping[str, Any]) -> tuple[ValueChange, ...]:
    """Leaves that differ, by their dotted key, in key order. Lists are compared whole."""
    return tuple(_changes(first, second, ()))


def value_change(name: str, first: Any, second: Any) -> ValueChange:
    """The change of one value; None stands for one that is not there."""
    state: State = "added" if first is None else "removed" if second is None else "changed"
    return ValueChange(name=name, state=state, first=first, second=second)


def _changes(
    first: Mapping[str, Any], second: Mapping[str, Any], place: tuple[str, ...]
) -> Iterator[ValueChange]:
    for key in sorted(first.keys() | second.keys()):
        one, other = first.get(key), second.get(key)
        where = (*place, key)
        if isinstance(one, Mapping) or isinstance(other, Mapping):
            yield from _sections(one, other, where)
        elif type(one) is not type(other) or one != other:
            yield value_change(key_path(where), one, other)


def _sections(one: Any, other: Any, where: tuple[str, ...]) -> Iterator[ValueChange]:
    """At least one side is a section: its leaves are compared, or it stands against a value."""
    for side in (one, other):
        if side is not None and not isinstance(side, Mapping):
            yield value_change(key_path(where), one, other)
            return
    yield from _changes(one or {}, other or {}, where)
