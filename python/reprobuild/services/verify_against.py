"""Compare two results that exist, on every level, without rebuilding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from reprobuild.core.levels import demanded, judge_levels
from reprobuild.domain.digest import Digest
from reprobuild.domain.spec import Spec
from reprobuild.domain.verdict import Level, LevelVerdict, StageVerdict, Verdict
from reprobuild.errors import UsageError
from reprobuild.ports import ForeignComparer, Store
from reprobuild.services.compare import compare_trees
from reprobuild.services.golden import holds_tensors, judge_all_golden
from reprobuild.services.metric_values import judge_metrics
from reprobuild.services.side import STORE, Output, Side


def verify_against(
    judged: Side,
    reference: Side,
    *,
    store: Store,
    references: Callable[[str], Sequence[float]],
    level: Level | None = None,
    foreign: ForeignComparer | None = None,
) -> Verdict:
    """Judge `judged` by `reference`: stages (or the model) that both have, and metrics that both measured.

    Args:
        references: as of `judge_metrics`.
        level: what decides; by default what the judged side's `[numerics] level` demands.
        foreign: asked about files of a format that we do not read.
    Raises:
        UsageError: the reference is a baseline of another model, or has the judged run among its own.
    """
    spec = judged.spec
    if spec is None:
        raise UsageError(
            f"{judged.named} cannot be judged: it has no spec", hint="name a result or a project"
        )
    _check_baseline(spec, reference)
    labels = [label for label in judged.outputs if label in reference.outputs]
    stages = tuple(_stage(one, judged.outputs[one], reference.outputs[one], store, foreign) for one in labels)
    found = judge_metrics(spec, reference.metrics, judged.metrics, references)
    golden = judge_all_golden(_paths(reference, labels), _paths(judged, labels))
    levels = judge_levels(
        _same_inputs(judged, reference, labels),
        stages,
        (),
        found.verdicts,
        golden,
        unmeasured=found.unmeasured,
        has_tensors=holds_tensors(_paths(judged, labels).values()),
    )
    return Verdict(
        artifact_id=judged.artifact_id,
        against=reference.named,
        demanded=level or demanded(spec.numerics.level),
        levels=levels,
        stages=stages,
        metrics=found.verdicts,
        unmeasured=found.unmeasured,
        golden=golden,
    )


def _check_baseline(spec: Spec, reference: Side) -> None:
    if reference.model is not None and reference.model != spec.model.name:
        raise UsageError(
            f"{reference.named} belongs to another model",
            expected=spec.model.name,
            actual=reference.model,
            hint="run `reprobuild baseline` in this project",
        )
    if spec.numerics.seed in reference.seeds:
        raise UsageError(
            f"{reference.named} holds the judged run itself",
            expected=f"runs with other seeds than {spec.numerics.seed}",
            actual=", ".join(map(str, reference.seeds)),
            hint="run `reprobuild baseline`",
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


def _stage(
    label: str, judged: Output, reference: Output, store: Store, foreign: ForeignComparer | None
) -> StageVerdict:
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
            label,
            reference.path,
            judged.path,
            first_origin=reference.origin,
            second_origin=judged.origin,
            foreign=foreign,
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
