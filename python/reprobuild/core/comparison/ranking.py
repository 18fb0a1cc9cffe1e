"""Which explanations come first, and which are said once?"""

from __future__ import annotations

from collections.abc import Iterable

from reprobuild.domain.comparison import Cause

_CERTAINTIES = ("shown", "likely", "possible")


def ranked(causes: Iterable[Cause]) -> tuple[Cause, ...]:
    """Most likely first; one cause for each class and file, at its first place, with the number of others."""
    grouped: dict[tuple[str, str], list[Cause]] = {}
    for cause in causes:
        grouped.setdefault((cause.cause, cause.file), []).append(cause)
    merged = []
    for group in grouped.values():
        best = min(group, key=_rank)
        more = len({cause.place for cause in group}) - 1
        if more:
            places = "1 more place" if more == 1 else f"{more} more places"
            best = best.model_copy(update={"evidence": f"{best.evidence} (and at {places})"})
        merged.append(best)
    return tuple(sorted(merged, key=_rank))


def _rank(cause: Cause) -> int:
    return _CERTAINTIES.index(cause.certainty)
