"""From stages and metrics to four answers: a stricter level implies the milder ones, never the reverse."""

from __future__ import annotations

from typing import Literal

import pytest

from reprobuild.core.levels import demanded, judge_levels
from reprobuild.domain.comparison import FileDifference, StageComparison, TensorDifference
from reprobuild.domain.metric_verdict import MetricVerdict
from reprobuild.domain.verdict import GoldenVerdict, LevelVerdict, StageVerdict

INPUTS = LevelVerdict(level="same inputs", holds=True, reason="")


def stage(
    verdict: Literal["same bytes", "differs", "failed", "unknown"], comparison: StageComparison | None = None
) -> StageVerdict:
    return StageVerdict(
        label="train", drv_path="", out_path="", rounds=1, equal=0, verdict=verdict, comparison=comparison
    )


def other(
    path: str,
    state: Literal["differs", "missing", "target"] = "differs",
    tensors: bool = False,
    read_as: str = "text",
) -> StageComparison:
    return StageComparison(
        label="train",
        equal=False,
        files=(FileDifference(path=path, state=state, format=read_as),),
        tensors=(TensorDifference(file=path, name="w", state="values"),) if tensors else (),
    )


def metric(
    verdict: Literal["equal", "within tolerance", "outside tolerance", "no tolerance", "not judged"],
) -> MetricVerdict:
    return MetricVerdict(
        metric="accuracy",
        references=(1.0,),
        values=(1.0,),
        reference=1.0,
        value=1.0,
        verdict=verdict,
        explanation="so",
    )


def holds(*stages: StageVerdict, metrics: tuple[MetricVerdict, ...] = ()) -> list[bool | None]:
    return [one.holds for one in judge_levels(INPUTS, stages, (), metrics)]


def test_equal_bytes_are_equal_on_every_level() -> None:
    assert holds(stage("same bytes"), metrics=(metric("outside tolerance"),)) == [True, True, True, True]


def test_other_bytes_with_equal_tensors_are_the_same_weights() -> None:
    assert holds(stage("differs", other("log.txt")), metrics=(metric("equal"),)) == [True, False, True, True]


def test_one_tensor_is_enough_for_other_weights_and_says_nothing_about_behaviour() -> None:
    found = other("w.safetensors", tensors=True)
    assert holds(stage("differs", found), metrics=(metric("within tolerance"),)) == [True, False, False, True]
    assert holds(stage("differs", found), metrics=(metric("outside tolerance"),)) == [
        True,
        False,
        False,
        False,
    ]
    assert holds(stage("differs", found), metrics=(metric("no tolerance"),)) == [True, False, False, False]
    assert holds(stage("differs", found), metrics=(metric("not judged"),)) == [True, False, False, None]
    assert holds(stage("differs", found)) == [True, False, False, None]


def test_weights_on_one_side_only_are_other_weights() -> None:
    assert holds(stage("differs", other("w.safetensors", "missing")))[2] is False


@pytest.mark.parametrize(
    "found",
    [
        other("w.npz", read_as="zip"),
        other("model.pth", read_as="binary"),
        other("weights", read_as="binary"),
        other("w.safetensors", read_as="binary"),  # damaged
        other("w.safetensors", "target"),  # a link that leads elsewhere
        other("model.ckpt", "missing"),
    ],
    ids=lambda found: f"{found.files[0].path} {found.files[0].state}",
)
def test_weights_in_a_format_that_nobody_reads_are_not_called_equal(found: StageComparison) -> None:
    assert holds(stage("differs", found))[2] is None


def test_text_that_differs_may_hold_the_weights_where_there_are_no_tensors() -> None:
    stages = [stage("differs", other("weights.csv"))]
    assert [judge_levels(INPUTS, stages, has_tensors=there)[2].holds for there in (True, False)] == [
        True,
        None,
    ]


def test_a_metric_on_one_side_only_leaves_the_behaviour_open() -> None:
    stages = [stage("differs", other("log.txt"))]
    judged = judge_levels(INPUTS, stages, metrics=[metric("equal")], unmeasured=["recall"])[3]
    assert judged.holds is None and "recall" in judged.reason


def test_a_stage_that_differed_once_and_crashed_once_is_not_known_to_have_equal_weights() -> None:
    crashed = stage("differs", other("log.txt")).model_copy(update={"reason": "boom"})
    assert holds(crashed)[2] is None


def test_what_failed_or_is_gone_is_not_known() -> None:
    assert holds(stage("failed")) == [True, None, None, None]
    assert holds(stage("unknown"))[1:] == [None, None, None]
    assert holds() == [True, None, None, None], "nothing in common is no yes"
    assert holds(metrics=(metric("within tolerance"),)) == [True, None, None, True], "as against a baseline"


def test_a_difference_decides_whatever_failed_beside_it() -> None:
    assert holds(stage("failed"), stage("differs", other("w.safetensors", tensors=True)))[1:3] == [
        False,
        False,
    ]


def test_stored_answers_count_where_the_weights_are_equal() -> None:
    off = GoldenVerdict(label="evaluate", tensor="output.scores", verdict="not close", explanation="off")

    def behaviour(tensors: bool) -> bool | None:
        stages = [stage("differs", other("log.txt", tensors=tensors))]
        return judge_levels(INPUTS, stages, (), [metric("equal")], [off])[3].holds

    assert behaviour(tensors=False) is False
    assert behaviour(tensors=True) is True


@pytest.mark.parametrize(
    ("level", "asked"),
    [("exact", "same bytes"), ("portable", "same bytes"), ("tolerant", "same behaviour")],
)
def test_the_spec_says_what_decides(level: str, asked: str) -> None:
    assert demanded(level) == asked
