"""`--set KEY=VALUE`: change declared keys of a spec, and nothing else."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from reprobuild.core.spec_parse import known_keys, nearest
from reprobuild.errors import OverrideError


def parse_overrides(assignments: Sequence[str], document: Mapping[str, Any]) -> dict[str, Any]:
    """Turn `train.params.lr=0.01` into a tree that is laid over the document.

    A path may leave out `stages.` when it begins with a stage's name. Values are TOML; what is not TOML is a string.

    Raises:
        OverrideError: not KEY=VALUE, a key that is not declared, a value of another type than the declared one.
    """
    tree: dict[str, Any] = {}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals or not key.strip():
            raise OverrideError(f"--set {assignment}: expected KEY=VALUE", hint="such as train.params.lr=0.01")
        path = _full_path(key.strip().split("."), document)
        value = _typed(assignment, _value(text), _declared(assignment, path, document))
        place = tree
        for part in path[:-1]:
            place = place.setdefault(part, {})
        place[path[-1]] = value
    return tree


def merged(document: Mapping[str, Any], tree: Mapping[str, Any]) -> dict[str, Any]:
    """The document with the tree laid over it; the same rule as `merge` in nix/lib/spec.nix."""
    result = copy.deepcopy(dict(document))
    for key, value in tree.items():
        if isinstance(value, Mapping) and isinstance(result.get(key), Mapping):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result


def _full_path(path: list[str], document: Mapping[str, Any]) -> list[str]:
    if path[0] not in known_keys(()) and path[0] in document.get("stages", {}):
        return ["stages", *path]
    return path


_OPTIONAL = object()


def _declared(assignment: str, path: list[str], document: Mapping[str, Any]) -> Any:
    """The declared value at this path, or `_OPTIONAL` for a key that the format knows and the spec leaves out."""
    value: Any = document
    for depth, part in enumerate(path):
        if isinstance(value, Mapping) and part in value:
            value = value[part]
            continue
        formal = known_keys(tuple(path[:depth]))
        if part in formal and depth == len(path) - 1:
            return _OPTIONAL
        if part in formal and all(p in known_keys(tuple(path[: depth + n + 1])) for n, p in enumerate(path[depth + 1 :])):
            return _OPTIONAL
        there = tuple(value) if isinstance(value, Mapping) else ()
        near = nearest(part, tuple(dict.fromkeys([*there, *formal])))
        raise OverrideError(
            f"--set {assignment}: the spec declares no key {'.'.join(path[: depth + 1])}",
            expected=f"one of {', '.join(there)}" if there else "a key of the spec",
            expected_from="reprobuild.toml",
            actual=part,
            hint=f"did you mean `{near}`?" if near else "declare it in reprobuild.toml first",
        )
    if isinstance(value, Mapping):
        raise OverrideError(f"--set {assignment}: {'.'.join(path)} is a section", hint="name one of its keys")
    return value


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _typed(assignment: str, value: Any, declared: Any) -> Any:
    if declared is _OPTIONAL or type(value) is type(declared):
        return value
    if isinstance(declared, float) and type(value) is int:
        return float(value)
    if isinstance(declared, str) and not isinstance(value, list | dict):
        return assignment.partition("=")[2]
    raise OverrideError(
        f"--set {assignment}: value of another type than the declared one",
        expected=f"{type(declared).__name__}, such as {declared!r}",
        expected_from="reprobuild.toml",
        actual=f"{type(value).__name__} {value!r}",
    )
