"""YAML for a model card's front matter: block style, strings quoted as in JSON where they need it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
WORDS_WITH_A_MEANING = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}


def front_matter(fields: Mapping[str, Any]) -> str:
    """Write between two `---` lines; keys keep their order, None and empty lists are left out."""
    kept = {key: value for key, value in fields.items() if value not in (None, [], {})}
    return "\n".join(["---", *_lines(kept, ""), "---", ""])


def _lines(value: Any, indent: str) -> list[str]:
    lines = []
    for key, inner in value.items():
        if isinstance(inner, Mapping):
            lines += [f"{indent}{key}:", *_lines(inner, indent + "  ")]
        elif isinstance(inner, list):
            lines.append(f"{indent}{key}:")
            for item in inner:
                if isinstance(item, Mapping):
                    first, *rest = _lines(item, indent + "  ")
                    lines += [f"{indent}- {first.strip()}", *rest]
                else:
                    lines.append(f"{indent}- {_scalar(item)}")
        else:
            lines.append(f"{indent}{key}: {_scalar(inner)}")
    return lines


def _scalar(value: Any) -> str:
    if isinstance(value, str) and PLAIN.fullmatch(value) and value.lower() not in WORDS_WITH_A_MEANING:
        return value
    if isinstance(value, float):
        text = repr(value)  # YAML 1.1 reads 1e-05 as a string: it wants a point in the mantissa
        return text.replace("e", ".0e") if "e" in text and "." not in text else text
    return json.dumps(value, ensure_ascii=False)
