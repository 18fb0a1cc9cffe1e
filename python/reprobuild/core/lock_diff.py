"""What changed between two locks, for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reprobuild.domain.lock import Lock, Source


@dataclass(frozen=True)
class Change:
    how: Literal["added", "removed", "changed"]
    kind: str
    name: str
    before: str | None
    after: str | None

    def line(self) -> str:
        """Such as `~ wheel numpy  2.4.5 → 2.4.6`."""
        sign = {"added": "+", "removed": "-", "changed": "~"}[self.how]
        sides = " → ".join(side for side in (self.before, self.after) if side)
        return f"{sign} {self.kind} {self.name}  {sides}"


def lock_changes(before: Lock | None, after: Lock) -> tuple[Change, ...]:
    """Changes by kind and name; a source whose version stayed shows its digests."""
    old = _by_key(before)
    new = _by_key(after)
    changes = []
    for key in sorted(old.keys() | new.keys()):
        was, now = old.get(key), new.get(key)
        if was == now:
            continue
        if was is None and now is not None:
            changes.append(Change("added", now.kind, now.name, None, _said(now, None)))
        elif now is None and was is not None:
            changes.append(Change("removed", was.kind, was.name, _said(was, None), None))
        elif was is not None and now is not None and was.sha256 != now.sha256:
            changes.append(Change("changed", now.kind, now.name, _said(was, now), _said(now, was)))
    return tuple(changes)


def _by_key(lock: Lock | None) -> dict[tuple[str, str, str], Source]:
    return {(s.kind, s.name, s.system or ""): s for s in (lock.sources if lock else ())}


def _said(source: Source, other: Source | None) -> str:
    if source.version is None or (other is not None and other.version == source.version):
        return " ".join(part for part in (source.version, source.sha256[:20] + "…") if part)
    return source.version
