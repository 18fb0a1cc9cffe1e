"""From pydantic's findings to one readable error: place, both sides, and what was probably meant."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from reprobuild.core.spec_keys import Location, description, is_section, key_path, known_keys, nearest
from reprobuild.domain.spec import SPEC_SCHEMA
from reprobuild.domain.spec_types import PATTERN_WORDS, without_secrets
from reprobuild.errors import SpecError

FURTHER = 5  # problems named besides the first one

_TYPES = {
    "bool": "true or false",
    "dict": "a section",
    "float": "a number",
    "int": "a whole number",
    "model": "a section",
    "string": "a string",
    "tuple": "a list",
}


@dataclass(frozen=True)
class _Problem:
    location: Location
    message: str
    expected: str
    actual: str
    hint: str | None = None


def spec_error(error: ValidationError, document: Mapping[str, Any], origin: str) -> SpecError:
    """The first problem in full, the next ones in a line each."""
    problems = _problems(error.errors(include_url=False), document)
    first, others = problems[0], problems[1:]
    shown = tuple(f"also: {key_path(p.location)}: {p.message}" for p in others[:FURTHER])
    if len(others) > FURTHER:
        shown = (*shown, f"and {len(others) - FURTHER} more")
    return SpecError(
        f"{origin}: {key_path(first.location)}: {first.message}",
        expected=first.expected,
        expected_from=None,
        actual=first.actual,
        details=shown,
        hint=first.hint,
    )


def _problems(found: Sequence[Any], document: Mapping[str, Any]) -> list[_Problem]:
    """Problems by place, those first that explain others: another format, then unknown keys."""
    by_place: dict[Location, list[Any]] = {}
    for one in found:
        missing = one["type"] in ("missing", "extra_forbidden")
        place = one["loc"] if missing else _in_document(one["loc"], document)
        by_place.setdefault(place, []).append(one)
    # a list with a wrong item is said to be too short as well: only the item is of interest
    for place in [place for place, of in by_place.items() if of[0]["type"] == "too_short"]:
        if any(len(other) > len(place) and other[: len(place)] == place for other in by_place):
            del by_place[place]

    def rank(place: Location) -> int:
        return 0 if place == ("schema",) else 1 if by_place[place][0]["type"] == "extra_forbidden" else 2

    return [_problem(place, by_place[place], document) for place in sorted(by_place, key=rank)]


def _in_document(location: Location, document: Any) -> Location:
    """Without what pydantic adds to a place: `[key]`, and the names of a union's members."""
    place: list[int | str] = []
    for part in location:
        inside = isinstance(document, dict) and part in document
        if not inside and not (isinstance(document, list) and isinstance(part, int) and part < len(document)):
            break
        document = document[part]
        place.append(part)
    return tuple(place)


def _problem(place: Location, found: Sequence[Any], document: Mapping[str, Any]) -> _Problem:
    kind, context, value = found[0]["type"], found[0].get("ctx", {}), found[0].get("input")
    if kind == "extra_forbidden":
        known = known_keys(place[:-1])
        near = nearest(str(place[-1]), known)
        hint = f"did you mean `{near}`?" if near else "`reprobuild schema` prints all keys"
        return _Problem(place, "unknown key", f"one of {', '.join(known)}", str(place[-1]), hint)
    if kind == "missing":
        return _Problem(place, "required, but not there", _expected_there(place), "nothing", _add(place))
    actual = _said(value)
    if kind == "literal_error":
        return _one_of(place, context["expected"], value, actual)
    if kind == "spec":
        return _Problem(
            place, found[0]["msg"], context["expected"], context.get("actual", actual), context.get("hint")
        )
    if types := _types(found):
        quotes = types == "a string" and isinstance(value, int | float)
        return _Problem(place, "value of another type", types, actual, "put it in quotes" if quotes else None)
    message, expected = _bounds(kind, context)
    return _Problem(place, message, expected, actual)


def _bounds(kind: str, context: Mapping[str, Any]) -> tuple[str, str]:
    """Message and expected side of a value that is of the right type."""
    match kind:
        case "string_pattern_mismatch":
            return "not in the expected form", PATTERN_WORDS.get(context["pattern"], context["pattern"])
        case "string_too_short":
            return "empty text", "at least one character"
        case "string_too_long":
            return "too long", f"at most {context['max_length']} characters"
        case "too_short":
            return "empty", "at least one entry"
        case "greater_than":
            return "out of range", f"more than {context['gt']:g}"
        case "greater_than_equal":
            return "out of range", f"at least {context['ge']:g}"
        case "less_than":
            return "out of range", f"less than {context['lt']}"
        case "less_than_equal":
            return "out of range", f"at most {context['le']}"
        case _:
            return "not a valid value", "see docs/formats/spec.md"


def _types(found: Sequence[Any]) -> str:
    """`a whole number or a string`, if all findings of one place are about its type."""
    words = [
        next((text for word, text in _TYPES.items() if one["type"].startswith(f"{word}_")), "")
        for one in found
    ]
    words = ["" if one["type"].startswith("string_") and one["type"] != "string_type" else word
             for one, word in zip(found, words, strict=True)]  # fmt: skip
    return " or ".join(dict.fromkeys(words)) if all(words) else ""


def _one_of(place: Location, expected: str, value: Any, actual: str) -> _Problem:
    choices = expected.replace("'", "").replace(" or ", ", ").split(", ")
    if place == ("schema",):
        return _Problem(
            place, "format not known to this release", SPEC_SCHEMA, actual, "take a release that reads it"
        )
    near = nearest(value, choices) if isinstance(value, str) else None
    words = f"one of {', '.join(choices)}" if len(choices) > 1 else choices[0]
    return _Problem(place, "not a known value", words, actual, f"did you mean `{near}`?" if near else None)


def _expected_there(place: Location) -> str:
    if place == ("stages",):
        return "at least one section [stages.NAME]"
    if is_section(place):
        return f"a section [{key_path(place)}]"
    return description(place) or "a value"


def _add(place: Location) -> str:
    if place == ("schema",):
        return f'begin the file with schema = "{SPEC_SCHEMA}"'
    if place == ("stages",):
        return "add a section [stages.NAME]"
    if is_section(place):
        return f"add a section [{key_path(place)}]"
    return f"add `{place[-1]}` to [{key_path(place[:-1])}]"


def _said(value: Any) -> str:
    """A value as TOML would write it, shortened, without what may be a secret."""
    if isinstance(value, dict):
        return f"a section with {', '.join(map(str, value))}"[:200] if value else "an empty section"
    text = without_secrets(json.dumps(value, ensure_ascii=False, default=str))
    return text if len(text) <= 200 else f"{text[:200]}…"
