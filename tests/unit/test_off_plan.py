"""More than 20 % off the plan is said, with both numbers in the plan's unit."""

from __future__ import annotations

from typing import Any

import pytest

from reprobuild.core.off_plan import off_plan
from reprobuild.domain.record import OffPlan
from reprobuild.domain.spec import Resources

PLAN = Resources(cores=2, memory_mib=100, time_s=10.0, loader_s=1.0)


def said(**measured: Any) -> list[tuple[str, float, float]]:
    return [(one.key, one.planned, one.measured) for one in off_plan(PLAN, measured)]


def test_both_numbers_are_in_the_unit_of_the_plan() -> None:
    assert said(peak_memory_bytes=150 * 2**20, duration_s=12.5, cpu_s=10.0, loader_s=3.25) == [
        ("cores", 2, 0.8),
        ("memory_mib", 100, 150),
        ("time_s", 10, 12.5),
        ("loader_s", 1, 3.25),
    ]


@pytest.mark.parametrize(("duration_s", "count"), [(7.999, 1), (8.0, 0), (9.0, 0), (12.0, 0), (12.001, 1)])
def test_up_to_20_percent_either_way_nothing_is_said(duration_s: float, count: int) -> None:
    assert len(said(duration_s=duration_s)) == count


@pytest.mark.parametrize(("cpu_s", "count"), [(15.9, 1), (16.1, 0), (24.1, 1)])
def test_cores_are_those_in_use_on_average(cpu_s: float, count: int) -> None:
    assert len(said(duration_s=10.0, cpu_s=cpu_s)) == count


def test_what_was_not_measured_or_not_planned_is_not_judged() -> None:
    assert said() == [] and said(duration_s=None, loader_s=None) == []
    assert said(duration_s=0.0, cpu_s=0.0)[0][0] == "time_s"  # no average over no time
    assert off_plan(None, {"duration_s": 1e9}) == ()
    assert off_plan(Resources(cores=1), {"duration_s": 1e9}) == ()


def test_it_is_a_value_of_the_record() -> None:
    assert off_plan(PLAN, {"duration_s": 20}) == (OffPlan(key="time_s", planned=10.0, measured=20.0),)
