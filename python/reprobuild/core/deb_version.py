"""Which of two Debian versions is newer?

Source: Debian Policy 5.6.12 "Version"; deb-version(7).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from operator import eq, ge, gt, le, lt

_PART = re.compile(r"(\D*)(\d*)")
_COMPARE: dict[str, Callable[[int, int], bool]] = {"<<": lt, "<=": le, "=": eq, ">=": ge, ">>": gt}


def compare(left: str, right: str) -> int:
    """Negative when `left` is older, 0 when they are the same version, positive when it is newer."""
    one, two = _key(left), _key(right)
    return (one > two) - (one < two)


def satisfies(version: str, operator: str, wanted: str) -> bool:
    """Whether `version` fulfils a relation such as `>=` `2.36`.

    Raises:
        KeyError: not an operator of the policy manual.
    """
    return _COMPARE[operator](compare(version, wanted), 0)


def upstream(version: str) -> str:
    """The version without epoch and Debian revision: `1:2.36-9+deb12u14` is `2.36`."""
    return _split(version)[1]


def _split(version: str) -> tuple[int, str, str]:
    epoch, colon, rest = version.partition(":")
    if not (colon and epoch.isdigit()):
        epoch, rest = "0", version
    name, _, revision = rest.rpartition("-")
    return (int(epoch), name, revision) if name else (int(epoch), rest, "")


def _key(version: str) -> tuple[object, ...]:
    epoch, name, revision = _split(version)
    return epoch, _part_key(name), _part_key(revision or "0")


def _part_key(text: str) -> tuple[tuple[tuple[int, ...], int], ...]:
    """Alternating non-digits and digits; `~` sorts before the end, letters before other characters."""
    pairs = [(chars, digits) for chars, digits in _PART.findall(text) if chars or digits]
    # the end of a part sorts as 0: after `~` (-1), before everything else
    keys = [(*map(_char_key, chars), 0) for chars, _ in pairs]
    numbers = [int(digits or 0) for _, digits in pairs]
    return (*zip(keys, numbers, strict=True), ((0,), 0))


def _char_key(char: str) -> int:
    if char == "~":
        return -1
    return ord(char) if char.isalpha() else ord(char) + 256
