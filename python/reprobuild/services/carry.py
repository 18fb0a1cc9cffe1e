"""A stage's rebuild differs: what do the stages after it make of the other output?

Nix rebuilds each stage on the first build's inputs, so a rebuild of `evaluate` says nothing about other weights. Here
the stages after the first differing one run on what the rebuild gave.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from reprobuild.domain.comparison import StageComparison
from reprobuild.domain.spec import Spec
from reprobuild.domain.store import Instantiation
from reprobuild.domain.verdict import StageVerdict
from reprobuild.ports import Store
from reprobuild.services.build import BuildService
from reprobuild.services.compare import compare_trees
from reprobuild.services.project import Project
from reprobuild.services.rebuild import Rebuilder


@dataclass(frozen=True)
class Carried:
    outputs: dict[str, str]  # stage → output of the second run, as far as there is one
    comparisons: tuple[StageComparison, ...]  # of the stages that were run again


def carry(
    project: Project,
    found: Instantiation,
    verdicts: Collection[StageVerdict],
    *,
    build: BuildService,
    store: Store,
    rebuilder: Rebuilder,
) -> Carried:
    """Run the stages after the differing ones on the rebuild's outputs, and compare."""
    kept = {
        one.label: one.differing_path for one in verdicts if one.differing_path and one.label in found.stages
    }
    outputs = {label: drv.out_path for label, drv in found.stages.items()}
    roots = _first_ones(project.spec, set(kept))
    replaced = {label: store.add(Path(path)) for label, path in kept.items() if label in roots and path}
    later = _after(project.spec, set(replaced))
    if not replaced:
        return Carried(outputs, ())
    outputs |= replaced
    again = build.instantiate(project, replaced)
    if later:
        drvs = [again.stages[label] for label in later]
        rebuilder.realise(
            drvs, {drv.drv_path: f"{label}, again" for label, drv in zip(later, drvs, strict=True)}
        )
    done = store.present([again.stages[label].out_path for label in later])
    comparisons = []
    for label in later:
        second = again.stages[label].out_path
        if second not in done:
            del outputs[label]
            continue
        outputs[label] = second
        comparisons.append(compare_trees(label, Path(found.stages[label].out_path), Path(second)))
    return Carried(outputs, tuple(comparisons))


def _first_ones(spec: Spec, differing: set[str]) -> set[str]:
    """Those that no other differing stage comes before."""
    return {label for label in differing if not _needs(spec, label) & differing}


def _after(spec: Spec, labels: Collection[str]) -> tuple[str, ...]:
    return tuple(name for name in spec.stage_order() if _needs(spec, name) & set(labels))


def _needs(spec: Spec, name: str) -> set[str]:
    """All stages that one needs, directly or not."""
    direct: Mapping[str, Collection[str]] = {label: stage.needs for label, stage in spec.stages.items()}
    found: set[str] = set()
    todo = list(direct[name])
    while todo:
        label = todo.pop()
        if label not in found:
            found.add(label)
            todo.extend(direct[label])
    return found
