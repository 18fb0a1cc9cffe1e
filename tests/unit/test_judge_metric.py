"""What two results' metrics say, by each kind of tolerance, at the limits and where there is nothing to say."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from reprobuild.core.judge_metric import judge_metric
from reprobuild.core.student_t import two_sided_p
from reprobuild.domain.metric_verdict import MetricVerdict
from reprobuild.domain.spec import Tolerance

TEN = [0.970, 0.972, 0.968, 0.971, 0.969, 0.973, 0.967, 0.970, 0.971, 0.969]


def judged(references: list[float], values: list[float], **tolerance: Any) -> MetricVerdict:
    found = Tolerance.model_validate(tolerance) if tolerance else None
    return judge_metric("accuracy", found, references, values)


def statistical(runs: int = 10, rate: float = 0.01) -> dict[str, Any]:
    return {"statistical": {"runs": runs, "false_alarm_rate": rate}}


def test_equal_numbers_are_equal_whatever_the_tolerance() -> None:
    for tolerance in ({}, {"absolute": 0.0}, {"relative": 0.1}, statistical()):
        verdict = judged([0.97], [0.97], **tolerance)
        assert (verdict.verdict, verdict.ok) == ("equal", True)


def test_without_a_tolerance_a_difference_is_told_and_not_excused() -> None:
    verdict = judged([0.97], [0.98])
    assert (verdict.verdict, verdict.ok, verdict.limit, verdict.tolerance) == (
        "no tolerance", False, None, None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("tolerance", "reference", "value", "verdict"),
    [
        ({"absolute": 0.005}, 0.97, 0.975, "within tolerance"),  # in binary: 0.00500000000000000444
        ({"absolute": 0.005}, 0.97, 0.9751, "outside tolerance"),
        ({"absolute": 0.005}, 0.97, 0.965, "within tolerance"),
        ({"absolute": 0.0}, 0.97, 0.9700000000000001, "outside tolerance"),
        ({"relative": 0.1}, 10.0, 11.0, "within tolerance"),
        ({"relative": 0.1}, 10.0, 8.99, "outside tolerance"),
        ({"relative": 0.1}, -10.0, -11.0, "within tolerance"),
        ({"relative": 0.5}, 0.0, 1e-12, "outside tolerance"),  # a share of nothing is nothing
        ({"relative": 0.1, "absolute": 0.01}, 0.0, 0.01, "within tolerance"),  # the wider one
        ({"relative": 0.1, "absolute": 0.01}, 10.0, 11.0, "within tolerance"),
        ({"absolute": 1.0}, -1.7e308, 1.7e308, "outside tolerance"),  # further apart than a float can say
    ],
)
def test_numbers_at_and_beyond_the_limit(
    tolerance: dict[str, float], reference: float, value: float, verdict: str
) -> None:
    assert judged([reference], [value], **tolerance).verdict == verdict


def test_with_several_runs_every_pair_must_be_within_a_fixed_tolerance() -> None:
    assert judged([1.0, 1.1], [1.05], absolute=0.1).ok
    assert not judged([1.0, 1.1], [1.05, 0.95], absolute=0.1).ok


def test_the_prediction_interval_is_the_textbook_one() -> None:
    """NIST's handbook has the formula; the numbers are worked out by hand.

    Mean 0.97, deviation 0.0018257, t(0.995, 9) = 3.2498: 0.97 ± 3.2498 * 0.0018257 * sqrt(1.1) = ± 0.0062230.
    """
    verdict = judged(TEN, [0.976], **statistical())
    assert verdict.reference == pytest.approx(0.97)
    assert verdict.limit == pytest.approx(0.0062230, abs=1e-6)
    assert (verdict.verdict, verdict.cause, verdict.ok) == ("within tolerance", "noise", True)
    assert judged(TEN, [0.9763], **statistical()).cause == "change"
    assert judged(TEN, [0.9637], **statistical()).verdict == "outside tolerance"


def test_the_p_value_and_the_limit_agree() -> None:
    limit = judged(TEN, [0.976], **statistical()).limit
    assert limit is not None
    at_the_limit = judged(TEN, [0.97 + limit], **statistical())
    assert at_the_limit.p_value == pytest.approx(0.01, rel=1e-6)


def test_two_groups_are_compared_by_students_test() -> None:
    """Worked out by hand: means 3 and 7, sums of squares 10 and 20, 7 degrees of freedom.

    Error sqrt(30 / 7 * (1/5 + 1/4)) = 1.38873, so t = 2.8803; t(0.975, 7) = 2.365, t(0.99, 7) = 2.998.
    """
    first, second = [1.0, 2.0, 3.0, 4.0, 5.0], [4.0, 6.0, 8.0, 10.0]
    verdict = judged(first, second, **statistical(runs=5, rate=0.05))
    assert verdict.cause == "change"
    assert verdict.p_value == pytest.approx(two_sided_p(2.8803, 7), rel=1e-4)
    assert verdict.limit == pytest.approx(2.365 * 1.38873, rel=1e-3)
    assert judged(first, second, **statistical(runs=5, rate=0.02)).cause == "noise"
    same = judged(first, first[::-1], **statistical(runs=5, rate=0.05))
    assert (same.p_value, same.cause) == (1.0, "noise")


def test_fewer_reference_runs_than_asked_for_are_not_judged() -> None:
    verdict = judged(TEN[:9], [0.97], **statistical(runs=10))
    assert (verdict.verdict, verdict.ok, verdict.p_value) == ("not judged", False, None)
    assert "needs 10 reference runs" in verdict.explanation and "reprobuild baseline" in verdict.explanation
    assert judged([0.97], [0.98], **statistical(runs=2)).verdict == "not judged"


def test_where_seeds_make_no_difference_any_difference_is_a_change() -> None:
    verdict = judged([1.0] * 10, [0.9999999], **statistical())
    assert (verdict.verdict, verdict.p_value, verdict.limit) == ("outside tolerance", 0.0, 0.0)
    assert judged([1.0] * 10, [0.9, 0.9], **statistical()).cause == "change"
    assert judged([1.0] * 10, [1.0], **statistical()).verdict == "equal"
    noisy = judged([1.0] * 10, [0.9, 1.1, 1.0], **statistical())
    assert noisy.cause == "noise"


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("tolerance", [{"absolute": 1e300}, {"relative": 1e9}, statistical()])
def test_what_is_no_number_is_outside_of_every_tolerance(bad: float, tolerance: dict[str, Any]) -> None:
    assert judged(TEN, [bad], **tolerance).verdict == "outside tolerance"
    assert judged([*TEN, bad], [0.97], **tolerance).verdict == "outside tolerance"
    assert judged([bad], [bad], **tolerance).verdict == "outside tolerance"
    assert judged([bad], [bad]).verdict == "no tolerance"


def test_a_verdict_is_json_even_about_what_is_no_number() -> None:
    verdict = judged([math.inf], [math.nan], absolute=0.1)
    text = json.dumps(verdict.model_dump(mode="json"), allow_nan=False)
    assert json.loads(text)["values"] == ["nan"]
    assert MetricVerdict.model_validate_json(text).references == (math.inf,)


def test_sizes_do_not_overflow_or_vanish() -> None:
    for scale in (1e-300, 1e300):
        verdict = judged([x * scale for x in TEN], [0.976 * scale], **statistical())
        assert verdict.cause == "noise"
        group = judged([x * scale for x in TEN], [0.99 * scale, 0.991 * scale], **statistical())
        assert group.cause == "change"


def test_values_further_apart_than_the_largest_float_are_outside() -> None:
    scattered = [1.7e308, -1.7e308]
    assert judged(scattered, [1.0], **statistical(runs=2)).verdict == "outside tolerance"
    assert judged(scattered, scattered, **statistical(runs=2)).verdict == "outside tolerance"


def test_nothing_to_compare_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="0 reference values and 1 values"):
        judged([], [1.0])
    with pytest.raises(ValueError, match="1 reference values and 0 values"):
        judged([1.0], [])
