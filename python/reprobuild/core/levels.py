"""From what was found in stages and metrics to an answer for each level.

Rules: docs/reproducibility.md. Bytes decide first: what is equal byte by byte has equal weights and behaves the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from reprobuild.domain.comparison import StageComparison
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
    carried: Iterable[StageComparison],
    metrics: Collection[MetricVerdict],
    golden: Collection[GoldenVerdict] = (),
) -> tuple[LevelVerdict, ...]:
    """
    Args:
        inputs: the answer for same inputs: a rebuild has them by definition, a comparison looks.
        carried: stages after a differing one, run on what the rebuild gave.
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
    weights = _same_weights(stages, compared)
    # Answers of other weights cannot be expected to be close: there the metrics decide.
    return (inputs, bytes_level, weights, _same_behaviour(metrics, golden if weights.holds else ()))


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


def _same_weights(stages: Collection[StageVerdict], compared: Collection[StageComparison]) -> LevelVerdict:
    level: Level = "same weights"
    for comparison in compared:
        for tensor in comparison.tensors:
            where = f"{comparison.label}: {tensor.file}: {tensor.name}"
            return LevelVerdict(level=level, holds=False, reason=f"{where} ({tensor.state})")
        gone = [file.path for file in comparison.files if _lost_weights(file.path, file.state)]
        if gone:
            return LevelVerdict(
                level=level, holds=False, reason=f"{comparison.label}: only on one side: {gone[0]}"
            )
    seen = {comparison.label for comparison in compared}
    unseen = [stage.label for stage in stages if stage.verdict != "same bytes" and stage.label not in seen]
    if unseen or not stages:
        which = ", ".join(unseen) or "no stage in common"
        return LevelVerdict(level=level, holds=None, reason=f"nothing to compare: {which}")
    other = [file.path for one in compared for file in one.files if file.path.endswith(_OTHER_WEIGHTS)]
    if other:
        return LevelVerdict(level=level, holds=None, reason=f"differs, and is not safetensors: {other[0]}")
    return LevelVerdict(level=level, holds=True, reason="every tensor is equal; other files differ")


# Formats that may hold weights, and that nobody here reads by tensor.
_OTHER_WEIGHTS = (".npy", ".npz", ".bin", ".onnx", ".pt", ".gguf", ".h5", ".skops")


def _lost_weights(path: str, state: str) -> bool:
    return state in ("missing", "extra") and path.endswith(".safetensors")


def _same_behaviour(metrics: Collection[MetricVerdict], golden: Collection[GoldenVerdict]) -> LevelVerdict:
    level: Level = "same behaviour"
    outside = [
        f"{one.metric}: {one.explanation}"
        for one in metrics
        if one.verdict in ("outside tolerance", "no tolerance")
    ]
    outside += [one.explanation for one in golden if one.verdict == "not close"]
    if outside:
        return LevelVerdict(level=level, holds=False, reason=outside[0])
    unjudged = [f"{one.metric}: {one.explanation}" for one in metrics if not one.ok]
    unjudged += [one.explanation for one in golden if one.verdict == "not comparable"]
    if unjudged or not (metrics or golden):
        reason = unjudged[0] if unjudged else "no metric was measured on both sides"
        return LevelVerdict(level=level, holds=None, reason=reason)
    names = [one.metric for one in metrics] + [f"{one.label}: {one.tensor}" for one in golden]
    return LevelVerdict(level=level, holds=True, reason=f"within tolerance: {', '.join(names)}")
