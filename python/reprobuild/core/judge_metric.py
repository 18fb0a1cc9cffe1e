"""Does a metric say that two results behave the same?"""

from __future__ import annotations

from collections.abc import Sequence

from reprobuild.domain.metric_verdict import MetricVerdict
from reprobuild.domain.spec import Tolerance


def judge_metric(
    metric: str, tolerance: Tolerance | None, references: Sequence[float], values: Sequence[float]
) -> MetricVerdict:
    """Judge new values of a metric against those of reference runs.

    Args:
        references: one value for an absolute or relative tolerance; for a statistical one as many runs with
            other seeds as it asks for (those of `reprobuild.baseline.json`).
        values: one run (prediction interval), or several runs with other seeds (Welch's test).
    Raises:
        ValueError: there is no reference or no value.
    """
    raise NotImplementedError
