"""Which packages differ between two locks or two store closures, and how much of each side is its own?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reprobuild.domain.difference import Closure, KindTotal, PackageChange, State
from reprobuild.domain.lock import Source
from reprobuild.domain.store import PathInfo

_KINDS = ("wheel", "deb", "tool", "compiler", "seed", "data", "store path")


@dataclass(frozen=True)
class Package:
    """
    Args:
        identity: equal where the content is: a digest, or a store path.
    """

    kind: str
    name: str
    version: str | None
    size_bytes: int
    identity: str


def locked_packages(sources: Iterable[Source]) -> list[Package]:
    return [Package(one.kind, one.name, one.version, one.size_bytes, str(one.sha256)) for one in sources]


def stored_packages(infos: Iterable[PathInfo]) -> list[Package]:
    """Members of a store closure, by the name in their paths; the version begins with the first digit after `-`."""
    found = []
    for info in infos:
        name = info.path.rpartition("/")[2].partition("-")[2]
        split = re.match(r"(.+?)-(\d.*)\Z", name)
        found.append(
            Package(
                kind="store path",
                name=split[1] if split else name,
                version=split[2] if split else None,
                size_bytes=info.nar_size_bytes,
                identity=info.path,
            )
        )
    return found


def closure_changes(first: Iterable[Package], second: Iterable[Package]) -> Closure:
    """Totals of each kind, then packages that differ, by kind and name."""
    sides = _by_name(first), _by_name(second)
    changes = []
    for key in sorted(sides[0].keys() | sides[1].keys(), key=lambda key: (_KINDS.index(key[0]), key[1])):
        one, other = sides[0].get(key, {}), sides[1].get(key, {})
        if one.keys() != other.keys():
            changes.append(_change(key, one, other))
    kinds = [kind for kind in _KINDS if any(key[0] == kind for side in sides for key in side)]
    return Closure(totals=tuple(_total(kind, *sides) for kind in kinds), packages=tuple(changes))


_Side = dict[tuple[str, str], dict[str, Package]]  # kind and name → identity → package


def _by_name(packages: Iterable[Package]) -> _Side:
    found: _Side = {}
    for one in packages:
        found.setdefault((one.kind, one.name), {})[one.identity] = one
    return found


def _change(
    key: tuple[str, str], first: Mapping[str, Package], second: Mapping[str, Package]
) -> PackageChange:
    state: State = "added" if not first else "removed" if not second else "changed"
    return PackageChange(
        kind=key[0],
        name=key[1],
        state=state,
        first_version=_versions(first),
        second_version=_versions(second),
        first_size_bytes=sum(one.size_bytes for one in first.values()) if first else None,
        second_size_bytes=sum(one.size_bytes for one in second.values()) if second else None,
    )


def _versions(packages: Mapping[str, Package]) -> str | None:
    return ", ".join(sorted({one.version for one in packages.values() if one.version})) or None


def _total(kind: str, first: _Side, second: _Side) -> KindTotal:
    sides = [
        {
            identity: one.size_bytes
            for key, group in side.items()
            if key[0] == kind
            for identity, one in group.items()
        }
        for side in (first, second)
    ]
    own = [
        sum(size for identity, size in sides[at].items() if identity not in sides[1 - at]) for at in (0, 1)
    ]
    return KindTotal(
        kind=kind,
        first_count=len(sides[0]),
        second_count=len(sides[1]),
        first_size_bytes=sum(sides[0].values()),
        second_size_bytes=sum(sides[1].values()),
        first_only_bytes=own[0],
        second_only_bytes=own[1],
    )
