"""Metrics of two runs, read from what their stages wrote, and judged."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reprobuild.core.judge_metric import judge_metric
from reprobuild.domain.metric_verdict import MetricVerdict
from reprobuild.domain.spec import Spec
from reprobuild.errors import BaselineError

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
            with contextlib.suppress(OverflowError):  # an integer that no float can say
                found[name] = float(value)
    return found


@dataclass(frozen=True)
class Judged:
    verdicts: tuple[MetricVerdict, ...]
    unmeasured: tuple[str, ...]  # on one side at least


def judge_metrics(
    spec: Spec,
    first: Mapping[str, Sequence[float]],
    second: Mapping[str, Sequence[float]],
    references: Callable[[str], Sequence[float]],
) -> Judged:
    """Every metric of the spec against its tolerance.

    Args:
        first: metric → what the reference runs measured.
        second: metric → what the judged runs measured.
        references: metric → what runs with other seeds measured; asked where a statistical tolerance has to judge
            and `first` is one run. May raise BaselineError: then the metric is not judged, and says why.
    """
    verdicts = []
    for name, metric in spec.metrics.items():
        if name not in first or name not in second:
            continue
        known, why = first[name], None
        statistical = metric.tolerance is not None and metric.tolerance.statistical is not None
        if statistical and len(known) == 1 and known != second[name]:
            try:
                known = references(name) or known
            except BaselineError as error:
                why = f"{error.message}; {error.hint}"
        found = judge_metric(name, metric.tolerance, known, second[name])
        verdicts.append(found.model_copy(update={"explanation": why}) if why else found)
    judged = {one.metric for one in verdicts}
    return Judged(tuple(verdicts), tuple(name for name in spec.metrics if name not in judged))


def one_run(values: Mapping[str, float]) -> dict[str, list[float]]:
    return {name: [value] for name, value in values.items()}
