"""Compare two results that exist, on every level, without rebuilding."""

from __future__ import annotations

from pathlib import Path

from reprobuild.core.judge_metric import judge_metric
from reprobuild.core.levels import demanded, judge_levels
from reprobuild.domain.digest import Digest
from reprobuild.domain.metric_verdict import MetricVerdict
from reprobuild.domain.spec import Spec
from reprobuild.domain.verdict import Level, LevelVerdict, StageVerdict, Verdict
from reprobuild.errors import UsageError
from reprobuild.ports import Store
from reprobuild.services.compare import compare_trees
from reprobuild.services.golden import judge_all_golden
from reprobuild.services.side import STORE, Output, Side


def verify_against(judged: Side, reference: Side, *, store: Store, level: Level | None = None) -> Verdict:
    """Judge `judged` by `reference`: stages (or the model) that both have, and metrics that both measured.

    Args:
        level: what decides; by default what the judged side's `[numerics] level` demands.
    """
    spec = judged.spec or reference.spec
    if spec is None:
        raise UsageError(f"neither {judged.named} nor {reference.named} has a spec")
    labels = [label for label in judged.outputs if label in reference.outputs]
    stages = tuple(_stage(one, judged.outputs[one], reference.outputs[one], store) for one in labels)
    metrics = _metrics(spec, judged, reference)
    golden = judge_all_golden(_paths(reference, labels), _paths(judged, labels))
    return Verdict(
        artifact_id=judged.artifact_id,
        against=reference.named,
        demanded=level or demanded(spec.numerics.level),
        levels=judge_levels(_same_inputs(judged, reference, labels), stages, (), metrics, golden),
        stages=stages,
        metrics=metrics,
        golden=golden,
    )


def _paths(side: Side, labels: list[str]) -> dict[str, Path]:
    return {label: path for label in labels if (path := side.outputs[label].path) is not None}


def _same_inputs(judged: Side, reference: Side, labels: list[str]) -> LevelVerdict:
    sides = {one: (judged.outputs[one].drv_path, reference.outputs[one].drv_path) for one in labels}
    other = [label for label, (first, second) in sides.items() if first and second and first != second]
    unknown = [label for label, (first, second) in sides.items() if not (first and second)]
    if other:
        return LevelVerdict(level="same inputs", holds=False, reason=f"other derivation: {', '.join(other)}")
    if unknown or not labels:
        which = ", ".join(unknown) or "no stage in common"
        return LevelVerdict(level="same inputs", holds=None, reason=f"derivation not known: {which}")
    return LevelVerdict(level="same inputs", holds=True, reason="the derivations are the same")


def _stage(label: str, judged: Output, reference: Output, store: Store) -> StageVerdict:
    base = StageVerdict(
        label=label,
        drv_path=judged.drv_path or "",
        out_path=str(judged.path or ""),
        rounds=1,
        equal=0,
        verdict="unknown",
    )
    if judged.path is not None and reference.path is not None:
        found = compare_trees(
            label, reference.path, judged.path, first_origin=reference.origin, second_origin=judged.origin
        )
        if found.equal:
            return base.model_copy(update={"verdict": "same bytes", "equal": 1})
        kept = {"differing_path": str(reference.path), "comparison": found}
        return base.model_copy(update={"verdict": "differs", **kept})
    hashes = (_nar_hash(judged, store), _nar_hash(reference, store))
    if None in hashes:
        return base.model_copy(update={"rounds": 0, "reason": "one side is gone, and its hash is not known"})
    if hashes[0] == hashes[1]:
        return base.model_copy(update={"verdict": "same bytes", "equal": 1})
    reason = f"NAR hash {hashes[0]}, the other side has {hashes[1]}; only its hash is left"
    return base.model_copy(update={"verdict": "differs", "reason": reason})


def _nar_hash(output: Output, store: Store) -> Digest | None:
    if output.nar_hash is None and output.path is not None and str(output.path).startswith(STORE):
        return store.info(str(output.path)).nar_hash
    return output.nar_hash


def _metrics(spec: Spec, judged: Side, reference: Side) -> tuple[MetricVerdict, ...]:
    return tuple(
        judge_metric(name, metric.tolerance, reference.metrics[name], judged.metrics[name])
        for name, metric in spec.metrics.items()
        if name in judged.metrics and name in reference.metrics
    )
