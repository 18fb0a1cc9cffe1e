"""Our lines in somebody else's nix.conf: one marked block, put in, replaced and taken out; no other line is touched."""

from __future__ import annotations

import re
from collections.abc import Sequence

_BEGIN = "# reprobuild builder setup: begin; take out with `reprobuild builder setup --undo`"
_END = "# reprobuild builder setup: end"
_BLOCK = re.compile(r"^# reprobuild builder setup: begin.*?^# reprobuild builder setup: end$\n?", re.M | re.S)
_SETTING = re.compile(r"^\s*([\w-]+)\s*=\s*(.*?)\s*$")
_INCLUDE = re.compile(r"^\s*!?include\s+(\S+)\s*$", re.M)


def builder_lines(features: Sequence[str], hook: str) -> tuple[str, ...]:
    """What a machine's Nix must be told to build for a GPU."""
    # `extra-`: the features that Nix finds itself, such as kvm, stay.
    return (f"extra-system-features = {' '.join(features)}", f"pre-build-hook = {hook}")


def with_block(text: str, lines: Sequence[str]) -> str:
    """The file with our block at its end: what comes last counts, whatever stands above."""
    block = "\n".join([_BEGIN, *lines, _END, ""])
    if text.endswith(block):
        return text
    rest = without_block(text)
    return rest + ("" if rest.endswith("\n") or not rest else "\n") + block


def without_block(text: str) -> str:
    return _BLOCK.sub("", text)


def setting(text: str, name: str) -> str | None:
    """The value that a file gives a setting outside our block, comments left out; the last one counts."""
    found = None
    for line in without_block(text).splitlines():
        if (match := _SETTING.match(line.partition("#")[0])) and match[1] == name:
            found = match[2]
    return found


def included(text: str) -> list[str]:
    """Files that it includes, as written."""
    return _INCLUDE.findall(text)
