"""The interval of a metric's change: what other seeds do as much is not called a change."""

from __future__ import annotations

import math
import random
import statistics
from pathlib import Path

import pytest

from reprobuild.cli.diff_text import metric_line
from reprobuild.core.baseline import spec_digest, summary
from reprobuild.core.difference.interval import interval, with_intervals
from reprobuild.core.spec_parse import parse_spec, parse_toml
from reprobuild.domain.baseline import BASELINE_FILE, Baseline, BaselineRun
from reprobuild.domain.difference import Interval, MetricChange
from reprobuild.domain.digest import Digest
from reprobuild.services.diff_baseline import baseline_of_one

from .report_examples import DIFFERENCE
from .spec_examples import SPEC, edited

FIRST = parse_spec(parse_toml(SPEC))
SECOND = parse_spec(parse_toml(edited("lr = 0.1", "lr = 0.2")))
VALUES = (0.90, 0.91, 0.92)
BASELINE = Baseline(
    model="digits",
    version="1.0.0",
    reprobuild_version="0",
    spec_digest=spec_digest(FIRST),
    lock_digest=Digest.of_bytes(b""),
    metrics={"accuracy": summary("train", dict(enumerate(VALUES, 1)))},
    runs=tuple(BaselineRun(seed=seed, outputs=()) for seed in (1, 2, 3)),
)


def test_the_interval_is_students_of_two_single_runs() -> None:
    found = interval(0.05, VALUES)
    half = 4.302652729911275 * 0.01 * math.sqrt(2)  # t of 2 degrees of freedom at 95 %, from tables
    assert found is not None and found.runs == 3
    assert (found.low, found.high) == (pytest.approx(0.05 - half), pytest.approx(0.05 + half))


def test_without_a_number_or_two_runs_there_is_none() -> None:
    assert interval(None, VALUES) is None
    assert interval(math.nan, VALUES) is None
    assert interval(0.1, (0.9,)) is None and interval(0.1, ()) is None


def test_ninety_five_of_a_hundred_hold_the_true_change() -> None:
    chance, change, rounds = random.Random(7), 0.3, 4000
    held = 0
    for _ in range(rounds):
        references = [chance.gauss(0, 1) for _ in range(5)]
        found = interval(change + chance.gauss(0, 1) - chance.gauss(0, 1), references)
        held += found is not None and found.low <= change <= found.high
    assert statistics.NormalDist().inv_cdf(0.9999) * math.sqrt(0.05 * 0.95 / rounds) > abs(
        held / rounds - 0.95
    )


def test_a_comparison_takes_the_baseline_of_one_of_its_sides_only(tmp_path: Path) -> None:
    assert baseline_of_one(tmp_path, (FIRST, SECOND)) is None
    (tmp_path / BASELINE_FILE).write_text("{}")
    assert baseline_of_one(tmp_path, (FIRST, SECOND)) is None
    (tmp_path / BASELINE_FILE).write_text(BASELINE.to_text())
    assert baseline_of_one(tmp_path, (None, SECOND)) is None
    for specs in ((FIRST, SECOND), (SECOND, FIRST)):
        assert baseline_of_one(tmp_path, specs) == BASELINE


def test_the_line_says_when_other_seeds_do_as_much() -> None:
    (change,) = with_intervals(DIFFERENCE, BASELINE).meaning.metrics
    assert change.interval == interval(change.delta, VALUES)
    sure = MetricChange(name="a", first=0, second=1, delta=1, interval=Interval(low=0.5, high=1.5, runs=9))
    assert metric_line(sure) == "a  0 → 1  (+1; 95 % interval +0.5 to +1.5, by 9 runs of the baseline)"
    noise = sure.model_copy(update={"interval": Interval(low=-0.5, high=2.5, runs=9)})
    assert metric_line(noise).endswith("baseline: other seeds do as much)")
