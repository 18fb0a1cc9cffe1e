"""What a failed verification says in one line: stage or metric, and the test that failed."""

from __future__ import annotations

from reprobuild.cli.verdict_text import failed_tests
from reprobuild.domain.metric_verdict import MetricVerdict
from reprobuild.domain.verdict import Level, LevelVerdict, StageVerdict, Verdict

STAGES = tuple(
    StageVerdict(label=label, drv_path="", out_path="", rounds=2, equal=equal, verdict=verdict)
    for label, equal, verdict in (
        ("prepare", 2, "same bytes"),
        ("train", 1, "differs"),
        ("model", 0, "failed"),
    )
)
ACCURACY = MetricVerdict(
    metric="accuracy",
    references=(0.9,),
    values=(0.8,),
    reference=0.9,
    value=0.8,
    verdict="outside tolerance",
    explanation="0.1 lower, 0.01 allowed",
)


def said(level: Level, metrics: tuple[MetricVerdict, ...] = ()) -> list[str]:
    found = LevelVerdict(level=level, holds=False, reason="train: weights.safetensors: w (changed)")
    return failed_tests(
        Verdict(artifact_id=None, demanded=level, levels=(found,), stages=STAGES, metrics=metrics)
    )


def test_bytes_name_each_stage_that_is_not_equal() -> None:
    assert said("same bytes") == [
        "stage train: test of same bytes: differs, 1 of 2 rebuilds equal",
        "model: test of same bytes: failed, 0 of 2 rebuilds equal",
    ]


def test_behaviour_names_each_metric_that_is_not() -> None:
    line = "metric accuracy: test of same behaviour: 0.1 lower, 0.01 allowed"
    assert said("same behaviour", (ACCURACY,)) == [line]


def test_any_other_level_says_its_reason() -> None:
    line = "train: weights.safetensors: w (changed)"
    assert said("same weights") == [f"test of same weights: {line}"]
    assert said("same behaviour") == [f"test of same behaviour: {line}"]  # no metric to name
