"""What do uv's requirements output and its errors say?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from packaging.utils import canonicalize_name

from reprobuild.errors import NetworkError, ReprobuildError, ResolveError, UnsupportedWheelError

_PIN = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?\s*(?:==(?P<version>\S+)|@\s*\S+)")
_VIA = re.compile(r"#\s*via\s+(?P<via>.*)")
_FROM = re.compile(r"\s*# from (?P<url>\S+)")
_NO_WHEEL = re.compile(r"Wheels are required for `(?P<name>[^`]+)`|Because (?P<pin>\S+) has no usable wheels")
_NO_FIT = re.compile(r"Because (?P<pin>\S+) has no wheels with a matching")
_OFFERED = re.compile(r"we only found wheels for .*? with the following (?P<kind>.*?): (?P<tags>`.*)")
_UNREACHED = (
    "network was disabled",
    "Request failed after",
    "Failed to fetch",
    "error sending request",
    "dns error",
    "Could not connect",
)
_FIRST_INDEX = "only consider versions that are published on the first index"
_LAST_LINES = 12


@dataclass(frozen=True)
class Annotated:
    """One pin of uv's annotated output."""

    name: str
    version: str | None  # None: a direct address
    via: tuple[str, ...]  # normalised names of what depends on it, and words for files
    index_url: str | None


def parse_annotated(text: str) -> dict[str, Annotated]:
    """Pins by normalised name, from `--annotation-style line --emit-index-annotation`.

    Source: uv's output, recorded in tests/golden/pylock.
    """
    found: dict[str, Annotated] = {}
    last = None
    for line in text.splitlines():
        if (origin := _FROM.match(line)) and last is not None:
            before = found[last]
            found[last] = Annotated(before.name, before.version, before.via, origin["url"])
        elif pin := _PIN.match(line):
            via = _VIA.search(line)
            parents = [canonicalize_name(word.strip()) for word in via["via"].split(",")] if via else []
            last = canonicalize_name(pin["name"])
            found[last] = Annotated(last, pin["version"], tuple(parents), None)
    return found


def depends_of(pins: Mapping[str, Annotated]) -> dict[str, tuple[str, ...]]:
    """The annotation turned round: name → names it depends on, sorted."""
    depends: dict[str, set[str]] = {name: set() for name in pins}
    for pin in pins.values():
        for parent in pin.via:
            if parent in depends and parent != pin.name:
                depends[parent].add(pin.name)
    return {name: tuple(sorted(names)) for name, names in depends.items()}


def stopped_at_first_index(stderr: str) -> bool:
    return _FIRST_INDEX in " ".join(stderr.split())


def error_of(stderr: str, base: str) -> ReprobuildError:
    """uv's failure in our words, its last lines as details.

    Args:
        stderr: with all secrets taken out.
        base: what the base can use, in one line.
    """
    lines = [line.rstrip() for line in stderr.splitlines() if line.strip()]
    details = tuple(lines[-_LAST_LINES:])
    flat = " ".join(stderr.split())
    if found := _NO_FIT.search(flat):
        offered = _OFFERED.search(flat)
        return UnsupportedWheelError(
            f"{found['pin']}: no wheel fits the base",
            expected=base,
            expected_from="the base",
            actual=f"{offered['kind']} {offered['tags'].replace('`', '')}" if offered else None,
            actual_from="the package's index" if offered else None,
            details=details,
            hint="choose a version of the package with a wheel for this base, or another base.suite",
        )
    if found := _NO_WHEEL.search(flat):
        pinned = re.search(r"Because (\S+==\S+) has no usable wheels", flat)
        name = pinned[1] if pinned else found["name"] or found["pin"]
        return ResolveError(
            f"{name}: published as source only, and locks hold wheels",
            details=details,
            hint=f"make a wheel once: `pip wheel --no-deps -w wheels '{name}'`, "
            "then lock with UV_FIND_LINKS=$PWD/wheels in the environment",
        )
    if any(sign in flat for sign in _UNREACHED):
        return NetworkError(
            "uv could not reach an index",
            details=details,
            hint="check the network, or name a wheelhouse (find-links) or an index that can be reached",
        )
    return ResolveError(
        "the requirements cannot be resolved", details=details, hint="change the requirement that uv names"
    )
