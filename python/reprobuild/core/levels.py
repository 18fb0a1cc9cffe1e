"""From what was found in stages and metrics to an answer for each level.

Rules: docs/reproducibility.md. Bytes decide first: what is equal byte by byte has equal weights and behaves the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from reprobuild.domain.comparison import FileDifference, StageComparison
from reprobuild.domain.metric_verdict import MetricVerdict
from reprobuild.domain.verdict import GoldenVerdict, Level, LevelVerdict, StageVerdict

_DEMANDED: dict[str, Level] = {
    "exact": "same bytes",
    "portable": "same bytes",
    "tolerant": "same behaviour",
}


def demanded(level: str) -> Level:
    """What a spec's `[numerics] level` asks of two runs."""
    return _DEMANDED[level]


def judge_levels(
    inputs: LevelVerdict,
    stages: Collection[StageVerdict],
    carried: Iterable[StageComparison] = (),
    metrics: Collection[MetricVerdict] = (),
    golden: Collection[GoldenVerdict] = (),
    *,
    unmeasured: Collection[str] = (),
    has_tensors: bool = True,
) -> tuple[LevelVerdict, ...]:
    """
    Args:
        inputs: the answer for same inputs: a rebuild has them by definition, a comparison looks.
        carried: stages after a differing one, run on what the rebuild gave.
        unmeasured: metrics of the spec that are not among `metrics`.
        has_tensors: whether any output holds weights that are compared by tensor.
    """
    bytes_level = _same_bytes(stages)
    if bytes_level.holds:
        why = "all bytes are equal"
        return (
            inputs,
            bytes_level,
            LevelVerdict(level="same weights", holds=True, reason=why),
            LevelVerdict(level="same behaviour", holds=True, reason=why),
        )
    compared = [stage.comparison for stage in stages if stage.comparison is not None] + list(carried)
    weights = _same_weights(stages, compared, has_tensors=has_tensors)
    # Answers of other weights cannot be expected to be close: there the metrics decide.
    behaviour = _same_behaviour(metrics, golden if weights.holds else (), unmeasured)
    return (inputs, bytes_level, weights, behaviour)


def _same_bytes(stages: Collection[StageVerdict]) -> LevelVerdict:
    level: Level = "same bytes"
    differing = [stage.label for stage in stages if stage.verdict == "differs"]
    unclear = [stage.label for stage in stages if stage.verdict in ("failed", "unknown")]
    if differing:
        return LevelVerdict(level=level, holds=False, reason=f"differs: {', '.join(differing)}")
    if unclear or not stages:
        which = ", ".join(unclear) or "no stage in common"
        return LevelVerdict(level=level, holds=None, reason=f"nothing to compare: {which}")
    return LevelVerdict(level=level, holds=True, reason=f"{', '.join(stage.label for stage in stages)}")


def _same_weights(
    stages: Collection[StageVerdict], compared: Collection[StageComparison], *, has_tensors: bool
) -> LevelVerdict:
    """Other tensors are a no. A yes needs that every output was compared, and that what differs holds no weights."""

    def answer(holds: bool | None, reason: str) -> LevelVerdict:
        return LevelVerdict(level="same weights", holds=holds, reason=reason)

    for comparison in compared:
        for tensor in comparison.tensors:
            return answer(False, f"{comparison.label}: {tensor.file}: {tensor.name} ({tensor.state})")
        for file in comparison.files:
            if file.state in ("missing", "extra") and file.path.endswith(_TENSORS):
                return answer(False, f"{comparison.label}: only on one side: {file.path}")
    seen = {comparison.label for comparison in compared}
    unclear = [
        stage.label
        for stage in stages
        if stage.verdict != "same bytes" and (stage.label not in seen or stage.reason)
    ]
    if unclear or not stages:
        return answer(None, f"nothing to compare: {', '.join(unclear) or 'no stage in common'}")
    for comparison in compared:
        for file in comparison.files:
            if _may_hold_weights(file):
                return answer(None, f"{comparison.label}: {file.path} differs, and is not read by tensor")
    if not has_tensors:
        return answer(None, "no output holds tensors: weights may lie in the files that differ")
    return answer(True, "every tensor is equal; other files differ")


_TENSORS = (".safetensors", ".npy")
_READ_FORMATS = ("text", "json", "safetensors", "npy")  # as core/comparison/content.py names them
_NO_WEIGHTS = (".txt", ".log", ".json", ".md", ".html", ".csv", ".svg", ".png", ".toml", ".yaml", ".py")


def _may_hold_weights(file: FileDifference) -> bool:
    match file.state:
        case "differs":
            wanted = ("safetensors", "npy") if file.path.endswith(_TENSORS) else _READ_FORMATS
            return file.format not in wanted
        case "executable":
            return False
        case _:
            return not file.path.endswith(_NO_WEIGHTS)


def _same_behaviour(
    metrics: Collection[MetricVerdict], golden: Collection[GoldenVerdict], unmeasured: Collection[str]
) -> LevelVerdict:
    level: Level = "same behaviour"
    outside = [
        f"{one.metric}: {one.explanation}"
        for one in metrics
        if one.verdict in ("outside tolerance", "no tolerance")
    ]
    outside += [one.explanation for one in golden if one.verdict == "not close"]
    if outside:
        return LevelVerdict(level=level, holds=False, reason=outside[0])
    unclear = [f"{one.metric}: {one.explanation}" for one in metrics if not one.ok]
    unclear += [one.explanation for one in golden if one.verdict == "not comparable"]
    unclear += [f"{name}: not measured on both sides" for name in unmeasured]
    if unclear or not (metrics or golden):
        reason = unclear[0] if unclear else "no metric was measured on both sides"
        return LevelVerdict(level=level, holds=None, reason=reason)
    names = [one.metric for one in metrics] + [f"{one.label}: {one.tensor}" for one in golden]
    return LevelVerdict(level=level, holds=True, reason=f"within tolerance: {', '.join(names)}")
