"""Simulated runs: noise is rejected as often as stated, planted changes as often as the documentation says.

The figures of docs/decisions/tolerances.md are made here. Seeded: the same runs every time.
"""

from __future__ import annotations

import math
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from reprobuild.core.judge_metric import judge_metric
from reprobuild.domain.spec import StatisticalTolerance, Tolerance

PAGE = Path(__file__).parents[2] / "docs/decisions/tolerances.md"
RATE = 0.01
SHIFTS = (1, 2, 3, 4, 6)  # columns of the table, in standard deviations


@cache
def p_values(references: int, runs: int, shift: float, simulations: int) -> np.ndarray:
    """Of simulations in which the new runs' mean is shifted by so many standard deviations.

    Each has reference runs of its own, normally distributed.
    """
    rng = np.random.default_rng([references, runs, int(shift * 10), simulations])
    tolerance = Tolerance(statistical=StatisticalTolerance(runs=references, false_alarm_rate=RATE))
    old = rng.normal(0.9, 0.01, (simulations, references)).tolist()
    new = rng.normal(0.9 + shift * 0.01, 0.01, (simulations, runs)).tolist()
    verdicts = [judge_metric("m", tolerance, a, b) for a, b in zip(old, new, strict=True)]
    assert all((one.cause == "change") == (one.p_value < RATE) for one in verdicts if one.p_value is not None)
    return np.array([one.p_value for one in verdicts])


def rejected(references: int, runs: int, shift: float, simulations: int, rate: float = RATE) -> float:
    """Share of simulations that are called a change at this false-alarm rate."""
    return float((p_values(references, runs, shift, simulations) < rate).mean())


def bounds(rate: float, simulations: int) -> float:
    """Four standard deviations of a binomial share: missed once in 16,000 by chance, were it not seeded."""
    return 4 * math.sqrt(rate * (1 - rate) / simulations)


@pytest.mark.parametrize(("references", "rate"), [(10, 0.01), (10, 0.05), (10, 0.2)])
def test_of_10000_single_runs_without_a_change_the_stated_share_is_rejected(
    references: int, rate: float
) -> None:
    assert rejected(references, 1, 0, 10_000, rate) == pytest.approx(rate, abs=bounds(rate, 10_000))


@pytest.mark.parametrize(("references", "runs"), [(3, 1), (10, 2), (10, 10)])
def test_in_other_sizes_without_a_change_the_stated_share_is_rejected(references: int, runs: int) -> None:
    assert rejected(references, runs, 0, 2_000) == pytest.approx(RATE, abs=bounds(RATE, 2_000))


def test_a_wrong_rate_would_be_noticed() -> None:
    """With the normal distribution in place of Student's, 10 references reject 3 % instead of 1 %."""
    assert abs(rejected(10, 1, 0, 10_000, rate=0.03) - RATE) > bounds(RATE, 10_000)


def test_a_change_of_two_deviations_is_found_by_groups_of_ten_and_more() -> None:
    assert rejected(10, 10, 2, 500) > 0.9
    assert rejected(20, 20, 2, 500) > 0.99


def test_a_single_run_rarely_shows_a_change_of_two_deviations() -> None:
    """The limit of 10 reference runs lies at 3.4 deviations: that is the price of the false-alarm rate."""
    assert rejected(10, 1, 2, 500) < 0.25
    assert rejected(10, 1, 6, 500) > 0.95


def test_the_documentation_has_these_figures() -> None:
    """Its shares come from 10,000 simulations each; other, fewer ones agree."""
    rows = re.findall(
        r"^\| (\d+) \| (\d+) \|((?: \d+ % \|)+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert len(rows) == 6
    for references, runs, cells in rows:
        for shift, cell in zip(SHIFTS, cells.strip("|").split("|"), strict=True):
            said = int(cell.strip(" %")) / 100
            share = rejected(int(references), int(runs), shift, 200)
            assert share == pytest.approx(said, abs=bounds(min(max(said, 0.01), 0.99), 200)), (
                references,
                runs,
                shift,
            )
