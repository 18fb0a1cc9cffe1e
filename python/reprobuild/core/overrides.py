"""`--set KEY=VALUE`: change declared keys of a spec, and nothing else."""

from __future__ import annotations

import copy
import datetime
import json
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from reprobuild.core.spec_keys import is_section, key_path, known_keys, nearest
from reprobuild.core.spec_parse import refuse_foreign
from reprobuild.domain.spec import SPEC_FILE
from reprobuild.domain.spec_types import without_secrets
from reprobuild.errors import OverrideError, SpecError

_LEFT_OUT = object()  # a key that the format knows and the spec leaves out
_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a string", list: "a list"}


def parse_overrides(assignments: Sequence[str], document: Mapping[str, Any]) -> dict[str, Any]:
    """Turn `train.params.lr=0.01` into a tree that is laid over the document.

    A path may leave out `stages.` when it begins with a stage's name. Values are TOML; what is not TOML
    is a string.

    Raises:
        OverrideError: not KEY=VALUE, a key that is not declared, a value of another type than declared.
    """
    tree: dict[str, Any] = {}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        path = _path(key) if equals else []
        shown = without_secrets(assignment)
        if not path:
            raise OverrideError(
                f"--set {shown}: not KEY=VALUE", expected="KEY=VALUE, such as train.params.lr=0.01"
            )
        path = _full_path(path, document)
        value = _value(shown, text.strip(), path, _declared(shown, path, document))
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


def _path(key: str) -> list[str]:
    """The parts of a dotted TOML key, quotes taken off; empty if it is none."""
    try:
        found: Any = tomllib.loads(f"{key.strip()} = 0")
    except (tomllib.TOMLDecodeError, RecursionError):
        return []
    path = []
    while isinstance(found, dict):
        if len(found) != 1:
            return []
        [(part, found)] = found.items()
        path.append(part)
    return path


def _full_path(path: list[str], document: Mapping[str, Any]) -> list[str]:
    stages = document.get("stages")
    if path[0] not in known_keys(()) and isinstance(stages, Mapping) and path[0] in stages:
        return ["stages", *path]
    return path


def _declared(shown: str, path: list[str], document: Mapping[str, Any]) -> Any:
    """The declared value at this path, or `_LEFT_OUT`.

    Raises:
        OverrideError: neither the spec nor the format has such a key, or it is a section.
    """
    value: Any = document
    for depth, part in enumerate(path):
        section = value if isinstance(value, Mapping) else {}
        formal = known_keys(tuple(path[:depth]))
        if part not in section and part not in formal:
            stages = document.get("stages") if depth == 0 else None
            near = (*section, *formal, *(stages if isinstance(stages, Mapping) else ()))
            raise _unknown(shown, path[: depth + 1], near)
        value = section.get(part, _LEFT_OUT)
        if value is not _LEFT_OUT and not isinstance(value, Mapping) and depth < len(path) - 1:
            raise OverrideError(
                f"--set {shown}: {key_path(tuple(path[: depth + 1]))} has no keys below it",
                expected="the key of a value",
                actual=f"{key_path(tuple(path))}, below a value",
                hint=f"set {key_path(tuple(path[: depth + 1]))} itself",
            )
    if isinstance(value, Mapping) or (value is _LEFT_OUT and is_section(tuple(path))):
        raise OverrideError(
            f"--set {shown}: {key_path(tuple(path))} is a section",
            expected="the key of a value, such as train.params.lr",
            actual=key_path(tuple(path)),
            hint="name one of its keys",
        )
    return value


def _unknown(shown: str, path: list[str], known: Sequence[str]) -> OverrideError:
    names = tuple(dict.fromkeys(known))
    near = nearest(path[-1], names)
    return OverrideError(
        f"--set {shown}: the spec declares no key {key_path(tuple(path))}",
        expected=f"one of {', '.join(names)}" if names else "a declared key",
        expected_from=SPEC_FILE if names else None,
        actual=path[-1],
        hint=f"did you mean `{near}`?" if near else f"declare it in {SPEC_FILE} first",
    )


def _value(shown: str, text: str, path: list[str], declared: Any) -> Any:
    """The value that `text` means, of the declared value's type."""
    value = _read(text)
    if isinstance(declared, str) and not isinstance(value, list | dict | str):
        value = text
    elif isinstance(declared, float) and type(value) is int:
        value = float(value)
    if isinstance(value, dict) or (declared is not _LEFT_OUT and type(value) is not type(declared)):
        raise OverrideError(
            f"--set {shown}: value of another type than the declared one",
            expected=_KINDS.get(type(declared), "a value") + _such_as(declared),
            expected_from=SPEC_FILE,
            actual=f"{without_secrets(text)} ({_KINDS.get(type(value), 'a section')})",
        )
    try:
        refuse_foreign(value, tuple(path), "")
    except SpecError as error:
        message = error.message.rpartition(": ")[2]
        raise OverrideError(
            f"--set {shown}: {message}", expected=error.expected, actual=error.actual
        ) from error
    return value


def _read(text: str) -> Any:
    """As TOML if it is one TOML value, else the text itself; dates stay text, as in the spec."""
    try:
        found = tomllib.loads(f"value = {text}")
    except (tomllib.TOMLDecodeError, RecursionError):
        return text
    value = found["value"]
    return text if len(found) != 1 or isinstance(value, datetime.date | datetime.time) else value


def _such_as(declared: Any) -> str:
    if declared is _LEFT_OUT:
        return ""
    return f", such as {without_secrets(json.dumps(declared, ensure_ascii=False))}"
