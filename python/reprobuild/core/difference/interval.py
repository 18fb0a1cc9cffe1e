"""Where does the change of a metric lie, apart from what other seeds would have given?"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from reprobuild.core.student_t import critical_value
from reprobuild.domain.baseline import Baseline
from reprobuild.domain.difference import Difference, Interval

_MISSED = 0.05  # of all intervals, by their making: 95 % hold the true change


def with_intervals(found: Difference, baseline: Baseline) -> Difference:
    """The difference with an interval for each metric that both sides and the baseline have."""
    metrics = [
        one.model_copy(update={"interval": interval(one.delta, baseline.references(one.name))})
        for one in found.meaning.metrics
    ]
    return found.model_copy(update={"meaning": found.meaning.model_copy(update={"metrics": tuple(metrics)})})


def interval(delta: float | None, references: Sequence[float]) -> Interval | None:
    """Of the difference of two single runs, if each scatters by its seed as the reference runs do.

    The difference of two runs has the deviation s√2; s is estimated from n runs, so Student's t with n - 1 degrees of
    freedom.
    """
    if delta is None or not math.isfinite(delta) or len(references) < 2:
        return None
    deviation = statistics.stdev(references) * math.sqrt(2)
    half = critical_value(_MISSED, len(references) - 1) * deviation
    return Interval(low=delta - half, high=delta + half, runs=len(references))
