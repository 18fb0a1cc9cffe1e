"""Read what data/builder/facts.sh printed on a builder."""

from __future__ import annotations

from reprobuild.domain.builder_facts import BuilderFacts


def parse_facts(text: str, *, asked_s: float, answered_s: float) -> BuilderFacts:
    """
    Args:
        asked_s, answered_s: our clock before and after, seconds since 1970.
    Raises:
        ValueError: it is not what the script prints.
    """
    found = dict(line.split("\t", 1) for line in text.splitlines() if "\t" in line)
    try:
        clock_s = float(found["clock_s"])
        return BuilderFacts(
            ahead_s=_outside(clock_s, asked_s, answered_s),
            user=found["user"],
            groups=tuple(found["groups"].split()),
            cores=int(found.get("cores") or 1),
            has_python="python3" in found,
            nix_version=found["nix_version"].split()[-1] if found.get("nix_version") else None,
            store_dir=found.get("store_dir", ""),
            free_bytes=int(found.get("free_kib") or 0) * 1024,
            writes_store="writes_store" in found,
            hook_runs="hook_runs" in found,
            settings={
                name.removeprefix("setting "): value
                for name, value in found.items()
                if name.startswith("setting ")
            },
        )
    except KeyError as missing:
        raise ValueError(f"no {missing} in what the builder printed") from None


def _outside(clock_s: float, asked_s: float, answered_s: float) -> float:
    """How far a clock that shows whole seconds was outside of the time in which it was read."""
    if clock_s + 1 < asked_s:
        return clock_s + 1 - asked_s
    return max(clock_s - answered_s, 0.0)
