"""Did a stage take more than its spec plans? Measured numbers against `resources`, with room of 20 %."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from reprobuild.domain.record import Overrun
from reprobuild.domain.spec import Resources

ROOM: Final = 1.2  # up to this share of the plan nothing is said: machines and days differ
_MIB: Final = 2**20


def overruns(planned: Resources | None, measured: Mapping[str, Any]) -> tuple[Overrun, ...]:
    """What is above the plan, in the plan's units.

    Args:
        measured: `duration_s`, `peak_memory_bytes` and `loader_s`, as in a build record; None or left out where
            nothing was measured.
    """
    if planned is None:
        return ()
    memory_bytes = measured.get("peak_memory_bytes")
    pairs = (
        ("memory_mib", planned.memory_mib, None if memory_bytes is None else memory_bytes / _MIB),
        ("time_s", planned.time_s, measured.get("duration_s")),
        ("loader_s", planned.loader_s, measured.get("loader_s")),
    )
    return tuple(
        Overrun.model_validate({"key": key, "planned": plan, "measured": round(found, 3)})
        for key, plan, found in pairs
        if plan is not None and found is not None and found > plan * ROOM
    )
