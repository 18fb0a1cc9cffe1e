"""Is what a stage took what its spec plans? Measured numbers against `resources`, with room of 20 % either way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from reprobuild.domain.record import OffPlan
from reprobuild.domain.spec import Resources

ROOM: Final = 0.2  # by this share of the plan nothing is said: machines and days differ
_MIB: Final = 2**20


def off_plan(planned: Resources | None, measured: Mapping[str, Any]) -> tuple[OffPlan, ...]:
    """What is further from the plan than `ROOM`, in the plan's units.

    Cores are those in use on average: processor time by time.

    Args:
        measured: `duration_s`, `cpu_s`, `peak_memory_bytes` and `loader_s`, as in a build record; None or left out
            where nothing was measured.
    """
    if planned is None:
        return ()
    memory_bytes, duration_s = measured.get("peak_memory_bytes"), measured.get("duration_s")
    cpu_s = measured.get("cpu_s")
    pairs = (
        ("cores", planned.cores, cpu_s / duration_s if cpu_s is not None and duration_s else None),
        ("memory_mib", planned.memory_mib, None if memory_bytes is None else memory_bytes / _MIB),
        ("time_s", planned.time_s, duration_s),
        ("loader_s", planned.loader_s, measured.get("loader_s")),
    )
    return tuple(
        OffPlan.model_validate({"key": key, "planned": plan, "measured": round(found, 3)})
        for key, plan, found in pairs
        if plan is not None and found is not None and abs(found - plan) > plan * ROOM
    )
