"""What changed between two locks, for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reprobuild.domain.lock import DebianBasePin, Lock, Source


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
    """Changes of the base's state, then of sources by kind and name.

    A source whose version stayed shows its digests; one whose bytes stayed shows what else changed.
    """
    old = _by_key(before)
    new = _by_key(after)
    changes = _base_changes(before.systems if before else {}, after.systems)
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
        elif was is not None and now is not None:
            changes.append(Change("changed", now.kind, now.name, _other(was, now), _other(now, was)))
    return tuple(changes)


def _base_changes(old: dict[str, DebianBasePin], new: dict[str, DebianBasePin]) -> list[Change]:
    changes = []
    for system in sorted(old.keys() | new.keys()):
        was, now = old.get(system), new.get(system)
        if was is None and now is not None:
            changes.append(Change("added", "base", system, None, _state(now)))
        elif now is None and was is not None:
            changes.append(Change("removed", "base", system, _state(was), None))
        elif was is not None and now is not None and was != now:
            changes.append(Change("changed", "base", system, _state(was), _state(now)))
    return changes


def _state(pin: DebianBasePin) -> str:
    return f"{pin.suite} {pin.snapshot}"


def _other(source: Source, than: Source) -> str:
    """The first field, other than the digest, in which a source differs."""
    mine, others = source.model_dump(mode="json"), than.model_dump(mode="json")
    field = next(name for name in mine if mine[name] != others[name])
    value = mine[field]
    return f"{field} {', '.join(value) if isinstance(value, list | tuple) else value}"


def _by_key(lock: Lock | None) -> dict[tuple[str, str, str], Source]:
    return {(s.kind, s.name, s.system or ""): s for s in (lock.sources if lock else ())}


def _said(source: Source, other: Source | None) -> str:
    if source.version is None or (other is not None and other.version == source.version):
        return " ".join(part for part in (source.version, source.sha256[:20] + "…") if part)
    return source.version
