"""Does the model reach its goals? Declared metrics, taken from the stages that measured them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reprobuild_worker.errors import GoalMissedError, OutputError
from reprobuild_worker.names import unknown

FILE_NAME = "metrics.json"


def collect(declared: Mapping[str, Mapping[str, Any]], stages: Mapping[str, Path]) -> dict[str, float]:
    """Read each declared metric from its stage's `metrics.json`.

    Raises:
        OutputError: the stage wrote no such file, or the value is not a number.
        UnknownNameError: the file does not hold the metric.
    """
    return {name: _read(name, metric["stage"], stages) for name, metric in sorted(declared.items())}


def check_goals(declared: Mapping[str, Mapping[str, Any]], measured: Mapping[str, float]) -> list[str]:
    """Compare each metric with its `minimum` and `maximum`; both are allowed values themselves.

    Returns:
        a line for each miss that does not fail the model (`required = false`).
    Raises:
        GoalMissedError: names every required metric that misses, with both numbers and the stage.
    """
    failing: list[str] = []
    allowed: list[str] = []
    for name, metric in sorted(declared.items()):
        misses = failing if metric.get("required", True) else allowed
        value, minimum, maximum = measured[name], metric.get("minimum"), metric.get("maximum")
        miss = f"metric {name} misses its goal: {value!r} measured by stage {metric['stage']}"
        where = f"(reprobuild.toml, [metrics.{name}]"
        if minimum is not None and value < minimum:
            misses.append(f"{miss}, at least {minimum!r} required {where} minimum)")
        if maximum is not None and value > maximum:
            misses.append(f"{miss}, at most {maximum!r} required {where} maximum)")
    if failing:
        raise GoalMissedError(
            "\n".join(failing), hint="improve the model, or change the goal; the stages stay built either way"
        )
    return allowed


def _read(name: str, stage: str, stages: Mapping[str, Path]) -> float:
    if stage not in stages:
        raise OutputError(
            f"metric {name}: there is no stage {stage} (reprobuild.toml, [metrics.{name}] stage)"
        )
    path = stages[stage] / FILE_NAME
    if not path.is_file():
        raise OutputError(
            f"metric {name}: stage {stage} wrote no {FILE_NAME}",
            hint=f"call `stage.save_metrics({name}=...)` and declare {FILE_NAME} in its outputs",
        )
    values = json.loads(path.read_bytes())
    if name not in values:
        raise unknown(f"metric {name} in its {FILE_NAME}", name, values, stage)
    value = values[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise OutputError(f"metric {name}: stage {stage} wrote {value!r}, which is not a number")
    return value
