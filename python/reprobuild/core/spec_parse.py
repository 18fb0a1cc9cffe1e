"""From TOML text to a checked spec, with errors that name file, key, both sides and the nearest known key."""

from __future__ import annotations

import datetime
import difflib
import json
import math
import tomllib
from collections.abc import Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from reprobuild.core.spec_checks import check_references
from reprobuild.domain.spec import SPEC_FILE, Spec
from reprobuild.errors import SpecError

Location = tuple[int | str, ...]


def parse_toml(text: str, origin: str = SPEC_FILE) -> dict[str, Any]:
    """TOML as a tree of JSON values.

    Raises:
        SpecError: not TOML, or a value that a lock or Nix cannot carry (date, nan, infinity, beyond 64 bits).
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{origin} is not valid TOML: {error}", hint=f"mend {origin} at the place named") from error
    _refuse_foreign_values(document, (), origin)
    return document


def parse_spec(document: Mapping[str, Any], origin: str = SPEC_FILE) -> Spec:
    """Check a document against the format and its own cross references.

    Raises:
        SpecError: unknown key, wrong type or value, reference to something that is not there.
    """
    try:
        spec = Spec.model_validate_json(json.dumps(document))
    except ValidationError as error:
        raise _spec_error(error, document, origin) from error
    check_references(spec, origin)
    return spec


def key_path(location: Location) -> str:
    """`("stages", "train", "outputs", 0)` as `stages.train.outputs[0]`."""
    text = ""
    for part in location:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part != "[key]":
            text += f".{part}" if text else str(part)
    return text


def known_keys(location: Location) -> tuple[str, ...]:
    """The keys that the format knows in the section at this place; empty where any key may stand."""
    model: Any = Spec
    for part in location:
        if isinstance(model, type) and issubclass(model, BaseModel):
            field = model.model_fields.get(str(part))
            model = _section_type(field.annotation) if field else None
        elif get_origin(model) is dict:
            model = get_args(model)[1]
        else:
            return ()
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return ()
    return tuple(field.alias or name for name, field in model.model_fields.items())


def nearest(word: str, known: tuple[str, ...]) -> str | None:
    return next(iter(difflib.get_close_matches(word, known, n=1, cutoff=0.5)), None)


def _section_type(annotation: Any) -> Any:
    """The section or mapping inside an annotation such as `Cuda | None` or `Annotated[dict[...], ...]`."""
    if get_origin(annotation) is dict or isinstance(annotation, type):
        return annotation
    return next((_section_type(a) for a in get_args(annotation) if a is not type(None)), None)


def _refuse_foreign_values(value: Any, location: Location, origin: str) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _refuse_foreign_values(inner, (*location, key), origin)
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            _refuse_foreign_values(inner, (*location, position), origin)
    elif isinstance(value, datetime.date | datetime.time):
        raise SpecError(
            f"{origin}: {key_path(location)}: dates are written as strings",
            expected=f'"{value.isoformat()}"',
            actual=value.isoformat(),
            hint="put it in quotes",
        )
    elif isinstance(value, float) and not math.isfinite(value):
        raise SpecError(
            f"{origin}: {key_path(location)}: not a finite number",
            expected="a finite number",
            actual=str(value),
        )
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise SpecError(
            f"{origin}: {key_path(location)}: number does not fit 64 bits",
            expected="-2^63 to 2^63-1",
            actual=str(value),
            hint="write it as a string",
        )


def _spec_error(error: ValidationError, document: Mapping[str, Any], origin: str) -> SpecError:
    problems = error.errors(include_url=False)
    first = problems[0]
    location: Location = first["loc"]
    where = f"{origin}: {key_path(location)}"
    others = tuple(f"also: {key_path(p['loc'])}: {_sentence(p['msg'])}" for p in problems[1:6])
    if first["type"] == "extra_forbidden":
        known = known_keys(location[:-1])
        near = nearest(str(location[-1]), known)
        return SpecError(
            f"{where}: unknown key",
            expected=f"one of {', '.join(known)}",
            actual=str(location[-1]),
            details=others,
            hint=f"did you mean `{near}`?" if near else "see `reprobuild schema` for all keys",
        )
    if first["type"] == "missing":
        return SpecError(
            f"{where}: required, but not there",
            expected=_described(location) or "a value",
            actual="nothing",
            details=others,
            hint=f"add `{location[-1]}` to [{key_path(location[:-1])}]" if location[:-1] else f"add {location[-1]}",
        )
    return SpecError(
        f"{where}: {_sentence(first['msg'])}",
        expected=_expected(first),
        actual=json.dumps(first.get("input"), default=str)[:200],
        details=others,
    )


def _expected(problem: Any) -> str:
    context = problem.get("ctx", {})
    for key in ("expected", "pattern"):
        if key in context:
            return str(context[key])
    return _sentence(problem["msg"]).removeprefix("expected ")


def _sentence(message: str) -> str:
    for prefix in ("Value error, ", "Input should be "):
        if message.startswith(prefix):
            return ("expected " if prefix.startswith("Input") else "") + message.removeprefix(prefix)
    return message


def _described(location: Location) -> str:
    model: Any = Spec
    for part in location[:-1]:
        if isinstance(model, type) and issubclass(model, BaseModel) and str(part) in model.model_fields:
            model = _section_type(model.model_fields[str(part)].annotation)
        elif get_origin(model) is dict:
            model = get_args(model)[1]
    if isinstance(model, type) and issubclass(model, BaseModel) and str(location[-1]) in model.model_fields:
        return model.model_fields[str(location[-1])].description or ""
    return ""
