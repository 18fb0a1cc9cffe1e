"""Read a `.drv` file: Nix's ATerm, the one derivation format that never changed between releases.

Source: Nix manual, "Derivation ATerm format"; libstore/derivations.cc.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\](),]', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


@dataclass(frozen=True)
class FixedHash:
    """What the content of a fixed output must be."""

    algorithm: str  # such as sha256
    hex: str
    recursive: bool  # of its NAR, not of one file's bytes


@dataclass(frozen=True)
class DrvFile:
    outputs: dict[str, str]  # name -> store path
    input_drvs: dict[str, tuple[str, ...]]  # drv path -> output names
    input_srcs: tuple[str, ...]
    system: str
    builder: str
    arguments: tuple[str, ...]
    environment: dict[str, str]
    fixed_hashes: dict[str, FixedHash] = field(default_factory=dict)  # name of the output -> hash


def parse_drv(text: str) -> DrvFile:
    """Parse the text of a `.drv` file.

    Raises:
        ValueError: not a derivation in this form.
    """
    if not text.startswith("Derive("):
        raise ValueError("not a derivation: does not begin with Derive(")
    tokens = _TOKEN.findall(text, len("Derive"))
    try:
        value, end = _value(tokens, 0)
    except IndexError:
        raise ValueError("not a derivation: ends too early") from None
    if end != len(tokens) or not isinstance(value, list) or len(value) != 7:
        raise ValueError("not a derivation: expected seven fields")
    try:
        return _drv_file(*value)
    except TypeError as error:
        raise ValueError("not a derivation: a field of another type") from error


def _drv_file(
    outputs: Any,
    input_drvs: Any,
    input_srcs: Any,
    system: Any,
    builder: Any,
    arguments: Any,
    environment: Any,
) -> DrvFile:
    return DrvFile(
        outputs={name: path for name, path, _, _ in outputs},
        input_drvs={path: tuple(names) for path, names in input_drvs},
        input_srcs=tuple(input_srcs),
        system=system,
        builder=builder,
        arguments=tuple(arguments),
        environment=dict(environment),
        fixed_hashes={name: _fixed_hash(how, digest) for name, _, how, digest in outputs if digest},
    )


def _fixed_hash(how: str, digest: str) -> FixedHash:
    """`how` is such as `sha256`, or `r:sha256` for the hash of a NAR."""
    return FixedHash(how.removeprefix("r:"), digest, how.startswith("r:"))


def _value(tokens: list[str], at: int) -> tuple[Any, int]:
    token = tokens[at]
    if token.startswith('"'):
        return _ESCAPE.sub(lambda m: _ESCAPES.get(m[1], m[1]), token[1:-1]), at + 1
    if token not in "[(":
        raise ValueError(f"not a derivation: unexpected {token!r}")
    close = "]" if token == "[" else ")"
    items: list[Any] = []
    at += 1
    while tokens[at] != close:
        if tokens[at] == ",":
            at += 1
            continue
        item, at = _value(tokens, at)
        items.append(item)
    return items, at + 1
