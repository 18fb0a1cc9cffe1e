"""How long will a stage run? As earlier builds of it with the same parameters did, else as its spec plans."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from reprobuild.domain.machine import Machine
from reprobuild.domain.record import BuildRecord
from reprobuild.domain.spec import Spec

_NEWEST: Final = 5  # machines and code change: older builds tell less


@dataclass(frozen=True)
class ExpectedTime:
    """
    Args:
        on_gpu: the stage runs on a GPU (`gpu = true`).
        basis: where the number comes from, for people.
    """

    seconds: float
    on_gpu: bool
    basis: str


def expected_times(
    spec: Spec, placed: Mapping[str, Machine], records: Iterable[BuildRecord]
) -> dict[str, ExpectedTime | None]:
    """Stage → its expected time; None where neither a record nor the spec says.

    Args:
        placed: stages to build → the machine that runs each.
        records: of this model, oldest first. Those on the same machine count first, then those on others.
    """
    known = list(records)
    return {label: _expected(spec, label, machine, known) for label, machine in placed.items()}


def _expected(
    spec: Spec, label: str, machine: Machine, records: Iterable[BuildRecord]
) -> ExpectedTime | None:
    stage = spec.stages[label]
    wanted = _compared(stage.model_dump(mode="json", by_alias=True, exclude_none=True))
    took: list[tuple[str, float]] = []  # builder, seconds
    for record in records:
        if _compared(record.spec.get("stages", {}).get(label, {})) != wanted:
            continue
        took += [
            (one.builder, one.duration_s)
            for one in record.outputs
            if one.label == label and one.status == "built" and one.duration_s is not None
        ]
    builder = "" if machine.is_local else machine.name
    there = [seconds for name, seconds in took if name == builder]
    counted = (there or [seconds for _, seconds in took])[-_NEWEST:]
    if counted:
        where = "there" if there and builder else "here" if there else "on other machines"
        return ExpectedTime(median(counted), stage.gpu, f"as {_builds(len(counted))} {where}")
    if stage.resources is not None and stage.resources.time_s is not None:
        return ExpectedTime(stage.resources.time_s, stage.gpu, "as planned")
    return None


def _compared(stage: Mapping[str, Any]) -> dict[str, Any]:
    """What of a stage decides how long it runs, as far as its spec says: all but what is planned for it."""
    return {key: value for key, value in stage.items() if key != "resources"}


def _builds(count: int) -> str:
    return "1 build" if count == 1 else f"the median of {count} builds"
