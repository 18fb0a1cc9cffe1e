"""Does a metric say that two results behave the same?

The statistics are described in docs/decisions/tolerances.md.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from reprobuild.core.student_t import critical_value, two_sided_p
from reprobuild.domain.metric_verdict import MetricVerdict, ToleranceKind
from reprobuild.domain.spec import StatisticalTolerance, Tolerance


def judge_metric(
    metric: str, tolerance: Tolerance | None, references: Sequence[float], values: Sequence[float]
) -> MetricVerdict:
    """Judge new values of a metric against those of reference runs.

    A value that is not finite is never equal to anything and outside of every tolerance. So are values further
    apart than the largest float.

    Args:
        references: one value for an absolute or relative tolerance; for a statistical one as many runs with
            other seeds as it asks for (those of `reprobuild.baseline.json`).
        values: one run, or several runs with other seeds, which show smaller changes.
    Raises:
        ValueError: there is no reference or no value.
    """
    if not references or not values:
        raise ValueError(f"metric {metric}: {len(references)} reference values and {len(values)} values")
    references, values = [float(one) for one in references], [float(one) for one in values]
    reference, value = _mean(references), _mean(values)
    everything = (*references, *values)
    if not all(map(math.isfinite, everything)) or math.isinf(max(everything) - min(everything)):
        found = _not_finite(tolerance)
    elif len(set(everything)) == 1:
        found = {"verdict": "equal", "explanation": f"all runs measured {everything[0]!r}"}
    elif tolerance is None:
        found = {
            "verdict": "no tolerance",
            "explanation": f"differs by {_difference(references, values):.3g}, and no tolerance is stated",
        }
    elif tolerance.statistical is not None:
        found = _statistical(tolerance.statistical, references, values, abs(value - reference))
    else:
        found = _fixed(tolerance, references, values)
    return MetricVerdict(
        metric=metric,
        references=tuple(references),
        values=tuple(values),
        reference=reference,
        value=value,
        tolerance=kind_of(tolerance) if tolerance else None,
        **found,
    )


def kind_of(tolerance: Tolerance) -> ToleranceKind:
    """The tolerance's kind, as the spec's key is called; absolute where absolute and relative are given."""
    if tolerance.statistical is not None:
        return "statistical"
    return "absolute" if tolerance.absolute is not None else "relative"


def _not_finite(tolerance: Tolerance | None) -> dict[str, Any]:
    return {
        "verdict": "outside tolerance" if tolerance else "no tolerance",
        "explanation": "a run measured no finite number, or one further from the others than a float can say",
    }


def _fixed(tolerance: Tolerance, references: Sequence[float], values: Sequence[float]) -> dict[str, Any]:
    """Every pair of runs must be within the wider one of absolute and relative; the limit itself is allowed.

    Numbers count as they are written: 0.975 is 0.005 away from 0.97, whatever binary floats make of it.
    """
    absolute, relative = _written(float(tolerance.absolute or 0)), _written(float(tolerance.relative or 0))
    limits = {one: max(absolute, relative * abs(_written(one))) for one in references}
    within = all(abs(_written(new) - _written(one)) <= limits[one] for one in references for new in values)
    limit = _float(min(limits.values()))
    return {
        "limit": limit,
        "verdict": "within tolerance" if within else "outside tolerance",
        "explanation": f"differs by {_difference(references, values):.3g}; at most {limit:.3g} is allowed",
    }


def _statistical(
    tolerance: StatisticalTolerance,
    references: Sequence[float],
    values: Sequence[float],
    difference: float,
) -> dict[str, Any]:
    """Student's two-sided t-test at the stated false-alarm rate; for a single value its prediction interval.

    Not Welch's: without a change both groups have one deviation, and then this test alone keeps the stated rate
    in groups of two and three as well.

    Too few reference runs are not judged: a verdict is never made from less evidence than was asked for.
    """
    rate = tolerance.false_alarm_rate
    if len(references) < tolerance.runs:
        return {
            "verdict": "not judged",
            "false_alarm_rate": rate,
            "explanation": f"needs {tolerance.runs} reference runs with other seeds, and there are"
            f" {len(references)}: run `reprobuild baseline`",
        }
    degrees_of_freedom = len(references) + len(values) - 2
    error = _standard_error(references, values)
    if error > 0:
        p_value = two_sided_p(difference / error, degrees_of_freedom)
        limit = critical_value(rate, degrees_of_freedom) * error
    else:  # seeds make no difference at all, so what differs is a change
        p_value, limit = 0.0, 0.0
    change = p_value < rate
    compared = f"p = {p_value:.2g}, rejected below {rate:g}; {len(references)} reference runs"
    return {
        "limit": limit,
        "verdict": "outside tolerance" if change else "within tolerance",
        "p_value": p_value,
        "false_alarm_rate": rate,
        "cause": "change" if change else "noise",
        "explanation": f"differs by {difference:.3g} from the mean; other seeds explain up to {limit:.3g}:"
        f" {'a change' if change else 'noise'} ({compared})",
    }


def _standard_error(references: Sequence[float], values: Sequence[float]) -> float:
    """Of the difference of the means, by the deviation within both groups: s * sqrt(1/n + 1/m).

    A single value has no deviation of its own: that is the prediction interval, s * sqrt(1 + 1/n).
    """
    n, m = len(references), len(values)
    squares = [
        statistics.stdev(group) * math.sqrt((len(group) - 1) / (n + m - 2))
        for group in (references, values)
        if len(group) > 1
    ]
    return math.hypot(*squares) * math.sqrt(1 / n + 1 / m)


def _difference(references: Sequence[float], values: Sequence[float]) -> float:
    """The largest one between any two runs."""
    return _float(max(abs(_written(new) - _written(one)) for one in references for new in values))


def _written(value: float) -> Fraction:
    return Fraction(repr(value))


def _mean(values: Sequence[float]) -> float:
    return float(statistics.mean(values)) if all(map(math.isfinite, values)) else math.nan


def _float(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf
