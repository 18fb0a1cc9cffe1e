"""Which input or environment variable makes each derivation differ? Read from `.drv` files."""

from __future__ import annotations

import json
import math
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from reprobuild.core.difference.values import value_change, value_changes
from reprobuild.domain.difference import DerivationDifference, ValueChange
from reprobuild.domain.drv import DrvFile

_STORE_PATH = re.compile(r"/nix/store/[a-z0-9]{32}-[A-Za-z0-9+._?=-]+")


def explain(
    roots: Mapping[str, tuple[str, str]], read: Callable[[str], DrvFile]
) -> tuple[DerivationDifference, ...]:
    """Every pair of derivations that differ, walked from the model down; the shortest explanation first.

    Origins (those that differ in themselves) come before those that only follow from an input. The model itself
    stands behind the other origins, as its own derivation repeats the whole spec.

    Args:
        roots: name → derivation on each side.
        read: a derivation's file, by its store path.
    Raises:
        OSError, ValueError: one of the files is not there, or no derivation.
    """
    read = cache(read)
    found: dict[tuple[str, str], DerivationDifference] = {}
    todo: deque[tuple[tuple[str, ...], tuple[str, str]]] = deque(
        ((name,), pair) for name, pair in roots.items() if pair[0] != pair[1]
    )
    while todo:
        path, pair = todo.popleft()
        if pair in found:
            continue
        compared = _Pair(read(pair[0]), read(pair[1]), read)
        found[pair] = DerivationDifference(
            name=path[-1],
            first_drv_path=pair[0],
            second_drv_path=pair[1],
            path=path,
            own=compared.own(),
            inputs=tuple(sorted(compared.matched)),
            inputs_added=tuple(sorted(map(_name, compared.added))),
            inputs_removed=tuple(sorted(map(_name, compared.removed))),
        )
        todo.extend(((*path, name), inner) for name, inner in sorted(compared.matched.items()))
    return tuple(sorted(found.values(), key=_rank))


def _rank(one: DerivationDifference) -> tuple[bool, bool, int, tuple[str, ...]]:
    return (not one.is_origin, one.repeats_the_spec, len(one.path), one.path)


class _Pair:
    """Two derivations of one role, with their inputs matched by name."""

    def __init__(self, first: DrvFile, second: DrvFile, read: Callable[[str], DrvFile]) -> None:
        self._sides = first, second
        self._read = read
        self.matched, self.removed, self.added = _matched(first.input_drvs, second.input_drvs)
        self._files, gone, new = _matched(first.input_srcs, second.input_srcs)
        self._lone_files = gone, new
        self._words = self._words_of(0), self._words_of(1)

    def own(self) -> tuple[ValueChange, ...]:
        """What differs once every path that comes from an input is replaced by that input's name."""
        fields = [self._fields(side) for side in (0, 1)]
        changes = list(value_changes(*fields))
        changes += [value_change(f"file {name}", *pair) for name, pair in sorted(self._files.items())]
        changes += [value_change(f"file {_name(path)}", path, None) for path in self._lone_files[0]]
        changes += [value_change(f"file {_name(path)}", None, path) for path in self._lone_files[1]]
        return tuple(changes)

    def _fields(self, side: int) -> dict[str, Any]:
        drv = self._sides[side]
        fields = {name: self._value(value, side) for name, value in drv.environment.items()}
        same = {"builder": drv.builder, "system": drv.system}  # usually in the environment, too
        fields |= {name: self._value(value, side) for name, value in same.items()}
        return fields | {"arguments": [self._plain(value, side) for value in drv.arguments]}

    def _plain(self, text: str, side: int) -> str:
        words = self._words[side]
        replaced = _STORE_PATH.sub(lambda hit: words.get(hit[0], hit[0]), text)
        return " ".join(replaced.split()) if replaced != text else replaced

    def _value(self, text: str, side: int) -> Any:
        """A variable; one that holds a JSON object, as that object, so that a single key can be named."""
        plain = self._plain(text, side)
        if plain.startswith("{"):
            try:
                return json.loads(plain, object_hook=_float)
            except ValueError:
                return plain
        return plain

    def _words_of(self, side: int) -> dict[str, str]:
        """Store path → what stands for it on both sides: its role, or nothing if the other side lacks it."""
        words = dict.fromkeys(self._sides[side].outputs.values(), "OUT")
        for name, pair in self.matched.items():
            words |= dict.fromkeys(self._read(pair[side]).outputs.values(), f"<{name}>")
        for drv_path in (self.removed, self.added)[side]:
            words |= dict.fromkeys(self._read(drv_path).outputs.values(), "")
        words |= {pair[side]: f"<{name}>" for name, pair in self._files.items()}
        words |= dict.fromkeys(self._lone_files[side], "")
        return words


def _float(value: dict[str, Any]) -> Any:
    """Floats as the worker's configuration writes them (docs/formats/worker-config.md), back."""
    match value:
        case {"__float__": [int(mantissa), int(exponent)], **rest} if not rest:
            return math.ldexp(mantissa, exponent)
        case _:
            return value


def _matched(
    first: Iterable[str], second: Iterable[str]
) -> tuple[dict[str, tuple[str, str]], list[str], list[str]]:
    """Paths that are not on both sides: those of the same name, then of the same name but for the version.

    Returns:
        name on the second side → both paths; paths of the first alone; paths of the second alone.
    """
    one, other = set(first), set(second)
    left = sorted(one - other), sorted(other - one)
    pairs: dict[str, tuple[str, str]] = {}
    for key in (_name, _role):
        groups = [_unique(side, key) for side in left]
        for role in groups[0].keys() & groups[1].keys():
            pairs[_name(groups[1][role])] = groups[0][role], groups[1][role]
        done = {path for pair in pairs.values() for path in pair}
        left = [path for path in left[0] if path not in done], [path for path in left[1] if path not in done]
    return pairs, *left


def _unique(paths: Iterable[str], key: Callable[[str], str]) -> dict[str, str]:
    groups: dict[str, list[str]] = {}
    for path in paths:
        groups.setdefault(key(path), []).append(path)
    return {role: group[0] for role, group in groups.items() if len(group) == 1}


def _name(path: str) -> str:
    """`/nix/store/HASH-wheel-numpy-2.4.6.drv` as `wheel-numpy-2.4.6`."""
    return path.rpartition("/")[2].partition("-")[2].removesuffix(".drv")


def _role(path: str) -> str:
    """The name up to its version; the two derivations of one big wheel stay apart."""
    name = _name(path)
    ending = "-large-files" if name.endswith("-large-files") else ""
    return re.split(r"[-_](?=\d)", name, maxsplit=1)[0] + ending
