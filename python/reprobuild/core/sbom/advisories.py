"""Which components have known vulnerabilities, by advisories in the OSV format?

Source: OSV schema 1.7, "Evaluation"; Python versions by PEP 440, Debian's by the policy manual.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cmp_to_key
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from reprobuild.core import deb_version
from reprobuild.core.sbom.bill import Bill, Component
from reprobuild.core.sbom.purl import debian_source_name

_DEBIAN_RELEASES = {"bookworm": "12", "trixie": "13"}
Compare = Callable[[str, str], int]


@dataclass(frozen=True)
class Affected:
    """One package of one ecosystem, and which of its versions."""

    ecosystem: str  # `PyPI`, `Debian` or `Debian:12`
    name: str
    versions: tuple[str, ...]
    ranges: tuple[tuple[tuple[str, str], ...], ...]  # of each range the events: (kind, version)

    @property
    def tells(self) -> bool:
        """Whether it says anything of versions that we read; commits of a repository are not."""
        return bool(self.versions or self.ranges)


@dataclass(frozen=True)
class Advisory:
    id: str
    summary: str
    aliases: tuple[str, ...]
    vectors: tuple[str, ...]  # CVSS
    affected: tuple[Affected, ...]


@dataclass(frozen=True)
class Finding:
    node: str
    advisory: Advisory
    version: str
    fixed: tuple[str, ...]  # versions in which it is mended


@dataclass(frozen=True)
class Judgement:
    findings: tuple[Finding, ...]
    not_judged: tuple[str, ...]  # advisories that name no version that can be read, with the component


def parse_advisory(document: Mapping[str, Any]) -> Advisory | None:
    """One OSV document; None when it was withdrawn.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: not of the OSV format.
    """
    if document.get("withdrawn"):
        return None
    return Advisory(
        id=str(document["id"]),
        summary=str(document.get("summary") or ""),
        aliases=tuple(sorted(map(str, document.get("aliases") or ()))),
        vectors=tuple(str(one["score"]) for one in document.get("severity") or ()),
        affected=tuple(_affected(one) for one in document.get("affected") or () if one.get("package")),
    )


def _affected(one: Mapping[str, Any]) -> Affected:
    ecosystem, name = str(one["package"]["ecosystem"]), str(one["package"]["name"])
    return Affected(
        ecosystem,
        canonicalize_name(name) if ecosystem == "PyPI" else name,
        tuple(map(str, one.get("versions") or ())),
        tuple(
            tuple((str(kind), str(version)) for event in each["events"] for kind, version in event.items())
            for each in one.get("ranges") or ()
            if each["type"] == "ECOSYSTEM"
        ),
    )


def judge(bill: Bill, advisories: Iterable[Advisory]) -> Judgement:
    """Every component that an advisory says is affected, by component and advisory."""
    known: dict[tuple[str, str], list[Component]] = {}
    for one in bill.parts:
        for key in _keys(one):
            known.setdefault(key, []).append(one)
    found: dict[tuple[str, str], Finding] = {}
    unread: set[str] = set()
    for advisory in advisories:
        told = {(one.ecosystem, one.name) for one in advisory.affected if one.tells}
        for affected in advisory.affected:
            for one in known.get((affected.ecosystem, affected.name), ()):
                if not affected.tells:
                    if (affected.ecosystem, affected.name) not in told:
                        unread.add(f"{advisory.id}: {one.node}")
                    continue
                version, compare = _version(one)
                try:
                    hit = is_affected(version, affected, compare)
                except InvalidVersion:
                    unread.add(f"{advisory.id}: {one.node}")
                    continue
                if hit:
                    fixed = {end for each in affected.ranges for kind, end in each if kind == "fixed"}
                    newer = sorted(
                        (end for end in fixed if _newer(end, version, compare)), key=cmp_to_key(compare)
                    )
                    found[one.node, advisory.id] = Finding(
                        one.node, advisory, one.version or "", tuple(newer)
                    )
    return Judgement(tuple(found[key] for key in sorted(found)), tuple(sorted(unread)))


def is_affected(version: str, affected: Affected, compare: Compare) -> bool:
    """
    Args:
        compare: negative when the first version is older, 0 when both are the same.
    Raises:
        InvalidVersion: an event's version cannot be read.
    """
    if any(_same(version, listed, compare) for listed in affected.versions):
        return True
    return any(_in_range(version, events, compare) for events in affected.ranges)


def _in_range(version: str, events: tuple[tuple[str, str], ...], compare: Compare) -> bool:
    limits = [end for kind, end in events if kind == "limit" and end != "*"]
    if limits and not any(compare(version, end) < 0 for end in limits):
        return False

    def order(one: tuple[str, str], two: tuple[str, str]) -> int:
        if "0" in (one[1], two[1]):  # before every version
            return (one[1] != "0") - (two[1] != "0")
        return compare(one[1], two[1])

    inside = False
    for kind, end in sorted(events, key=cmp_to_key(order)):
        if kind == "introduced" and (end == "0" or compare(version, end) >= 0):
            inside = True
        elif (kind == "fixed" and compare(version, end) >= 0) or (
            kind == "last_affected" and compare(version, end) > 0
        ):
            inside = False
    return inside


def _newer(end: str, version: str, compare: Compare) -> bool:
    try:
        return compare(end, version) > 0
    except InvalidVersion:  # the version is listed, so that it is affected without its range
        return False


def _same(version: str, listed: str, compare: Compare) -> bool:
    try:
        return version == listed or compare(version, listed) == 0
    except InvalidVersion:  # lists hold versions older than PEP 440
        return False


def _keys(one: Component) -> list[tuple[str, str]]:
    """Ecosystem and name by which advisories speak of a component. Debian's name the source package."""
    if one.source is None:
        return []
    if one.kind in ("tool", "wheel"):
        return [("PyPI", canonicalize_name(one.name))]
    name = debian_source_name(one.source)
    release = _DEBIAN_RELEASES.get(one.source.suite or "")
    ecosystems = ["Debian", *([f"Debian:{release}"] if release else [])]
    return [(ecosystem, name) for ecosystem in ecosystems] if name else []


def _version(one: Component) -> tuple[str, Compare]:
    """The version as advisories count, and how they compare."""
    version = one.version or ""
    if one.kind in ("tool", "wheel"):
        # `2.13.0+cpu` is another build of 2.13.0, not a newer release
        return Version(version).public, _compare_python
    # `+b1` was built again from the same source
    return re.sub(r"\+b\d+$", "", version), deb_version.compare


def _compare_python(left: str, right: str) -> int:
    one, two = Version(left), Version(right)
    return (one > two) - (one < two)
