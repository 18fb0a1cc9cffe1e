"""Which keys does the format know at a place, and how is a place written?"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from reprobuild.domain.spec import Spec

Location = tuple[int | str, ...]


def key_path(location: Location) -> str:
    """`("stages", "train", "outputs", 0)` as `stages.train.outputs[0]`, quoted as in TOML."""
    text = ""
    for part in location:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            word = part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else f'"{part}"'
            text += f".{word}" if text else word
    return text


def known_keys(location: Location) -> tuple[str, ...]:
    """The keys that the format knows in the section at this place; empty where any key may stand."""
    section = _section(location)
    return tuple(_keys(section)) if section else ()


def description(location: Location) -> str:
    """What the format says about the key at this place."""
    section = _section(location[:-1])
    field = _keys(section).get(str(location[-1])) if section else None
    return (field.description or "") if field else ""


def is_section(location: Location) -> bool:
    """Is the value at this place a section, with known keys or with names of the user's?"""
    found = _at(location)
    return get_origin(found) is dict or _section(location) is not None


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant."""
    by_small = {name.lower(): name for name in known}
    found = difflib.get_close_matches(word.lower(), by_small, n=1, cutoff=0.5)
    return by_small[found[0]] if found else None


def _keys(section: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in section.model_fields.items()}


def _section(location: Location) -> type[BaseModel] | None:
    found = _at(location)
    return found if isinstance(found, type) and issubclass(found, BaseModel) else None


def _at(location: Location) -> Any:
    """The type at a place: a section's class, a mapping, or something plain."""
    found: Any = Spec
    for part in location:
        if isinstance(found, type) and issubclass(found, BaseModel):
            field = _keys(found).get(str(part))
            found = _inner(field.annotation) if field else None
        elif get_origin(found) is dict:
            found = _inner(get_args(found)[1])
        else:
            return None
    return found


def _inner(annotation: Any) -> Any:
    """The section or mapping inside an annotation such as `Cuda | None` or `Annotated[dict[...], ...]`."""
    if get_origin(annotation) is dict or isinstance(annotation, type):
        return annotation
    return next((_inner(a) for a in get_args(annotation) if a is not type(None)), None)
