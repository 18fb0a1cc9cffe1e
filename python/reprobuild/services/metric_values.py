"""Metrics of two runs, read from what their stages wrote, and judged."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from reprobuild.core.judge_metric import judge_metric
from reprobuild.domain.metric_verdict import MetricVerdict
from reprobuild.domain.spec import Spec

METRICS_FILE = "metrics.json"


def metric_values(spec: Spec, outputs: Mapping[str, str | Path]) -> dict[str, float]:
    """The declared metrics that the stages' outputs hold; what is not there, or no number, is left out.

    Args:
        outputs: stage name → its output.
    """
    found = {}
    for name, metric in spec.metrics.items():
        if metric.stage not in outputs:
            continue
        try:
            value = json.loads((Path(outputs[metric.stage]) / METRICS_FILE).read_bytes())[name]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if isinstance(value, int | float) and not isinstance(value, bool):
            found[name] = float(value)
    return found


def judge_metrics(
    spec: Spec,
    first: Mapping[str, float],
    second: Mapping[str, float],
    references: Callable[[str], Sequence[float]],
) -> tuple[MetricVerdict, ...]:
    """Every metric that both runs measured, against its tolerance.

    Args:
        references: metric → what runs with other seeds measured; asked where a statistical tolerance has to judge.
    """
    found = []
    for name, metric in spec.metrics.items():
        if name in first and name in second:
            statistical = metric.tolerance is not None and metric.tolerance.statistical is not None
            known = references(name) if statistical and first[name] != second[name] else ()
            found.append(judge_metric(name, metric.tolerance, known or [first[name]], [second[name]]))
    return tuple(found)
