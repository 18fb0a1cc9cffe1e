"""From TOML text to a checked spec; what is wrong is said by core/spec_problem.py."""

from __future__ import annotations

import datetime
import json
import math
import re
import tomllib
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from reprobuild.core.spec_checks import check_references
from reprobuild.core.spec_keys import Location, key_path
from reprobuild.domain.spec import SPEC_FILE, Spec
from reprobuild.errors import SpecError

DEEPEST = 50  # sections and lists within each other
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")  # all but tab and newline
# Keys with a meaning of their own in Nix, or on the way through it (docs/formats/worker-config.md).
_NIX_KEYS = re.compile(r"outPath\Z|__")


def parse_toml(text: str, origin: str = SPEC_FILE) -> dict[str, Any]:
    """TOML as a tree of JSON values.

    Raises:
        SpecError: not TOML, or something that a lock or Nix cannot carry (see `refuse_foreign`).
    """
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SpecError(
            f"{origin} is not valid TOML: {error}", hint=f"mend {origin} at the place named"
        ) from error
    refuse_foreign(document, (), origin)
    return document


def parse_spec(document: Mapping[str, Any], origin: str = SPEC_FILE) -> Spec:
    """Check a document against the format and its own cross references.

    Raises:
        SpecError: unknown key, wrong type or value, reference to something that is not there.
    """
    try:
        spec = Spec.model_validate_json(json.dumps(document))
    except ValidationError as error:
        from reprobuild.core.spec_problem import spec_error  # slow to load, and most specs are right

        raise spec_error(error, document, origin) from error
    check_references(spec, origin)
    return spec


def refuse_foreign(value: Any, location: Location, origin: str) -> None:
    """Refuse what JSON or Nix cannot carry unchanged.

    Raises:
        SpecError: a date, nan or infinity, a number beyond 64 bits, a control character, a key that means
            something to Nix, or sections too deep within each other.
    """
    where = f"{origin}: {key_path(location)}"
    if len(location) > DEEPEST:
        raise SpecError(
            f"{origin}: {key_path(location[:3])}…: sections too deep", expected=f"at most {DEEPEST} levels"
        )
    if isinstance(value, dict):
        for key, inner in value.items():
            _refuse_key(key, (*location, key), origin)
            refuse_foreign(inner, (*location, key), origin)
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            refuse_foreign(inner, (*location, position), origin)
    elif isinstance(value, datetime.date | datetime.time):
        raise SpecError(
            f"{where}: dates are written as strings",
            expected=f'"{value.isoformat()}"',
            actual=value.isoformat(),
            hint="put it in quotes",
        )
    elif isinstance(value, float) and not math.isfinite(value):
        raise SpecError(f"{where}: not a finite number", expected="a finite number", actual=str(value))
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise SpecError(
            f"{where}: number does not fit 64 bits",
            expected="-2^63 to 2^63-1",
            actual=str(value)
            if abs(value) < 10**40
            else f"{'-' if value < 0 else ''}{hex(abs(value))[:20]}…",
            hint="write it as a string",
        )
    elif isinstance(value, str) and (found := _CONTROL.search(value)):
        raise SpecError(
            f"{where}: control character in a text",
            expected="printable characters, tabs and newlines",
            actual=f"\\u{ord(found[0]):04x}",
        )


def _refuse_key(key: str, location: Location, origin: str) -> None:
    if _NIX_KEYS.match(key) or _CONTROL.search(key):
        raise SpecError(
            f"{origin}: {key_path(location)}: this key cannot be used",
            expected="a key other than outPath, without __ at its beginning and control characters",
            expected_from="Nix gives these a meaning of its own",
            actual=key,
        )
