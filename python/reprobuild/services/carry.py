"""A stage's rebuild differs: what do the stages after it make of the other output?

Nix rebuilds each stage on the first build's inputs, so a rebuild of `evaluate` says nothing about other weights. Here
the stages after the first differing one run on what the rebuild gave.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from reprobuild.domain.comparison import StageComparison
from reprobuild.domain.spec import Spec
from reprobuild.domain.store import Instantiation
from reprobuild.domain.verdict import StageVerdict
from reprobuild.ports import Store
from reprobuild.services.build import BuildService
from reprobuild.services.project import Project
from reprobuild.services.rebuild import Rebuilder


@dataclass(frozen=True)
class Carried:
    outputs: dict[str, str]  # stage → output of the second run, as far as there is one
    comparisons: tuple[StageComparison, ...] = ()  # of the stages that were run again
    problem: str | None = None  # why one of them failed


def carry(
    project: Project,
    found: Instantiation,
    verdicts: Collection[StageVerdict],
    *,
    build: BuildService,
    store: Store,
    rebuilders: Mapping[str, Rebuilder],
) -> Carried:
    """Run the stages after the differing ones on the rebuild's outputs, and compare.

    Args:
        rebuilders: stage → what runs it, by the machine.

    A stage that was rebuilt without a result to show, and what comes after it, has no output in the second run.
    """
    spec = project.spec
    stages = [one for one in verdicts if one.label in found.stages]
    kept = {one.label: one.differing_path for one in stages if one.differing_path}
    lost = {one.label for one in stages if one.verdict != "same bytes" and one.label not in kept}
    without = lost | set(_after(spec, lost))
    there = store.present([drv.out_path for drv in found.stages.values()])
    first = {label: drv.out_path for label, drv in found.stages.items() if drv.out_path in there}
    outputs = {label: path for label, path in first.items() if label not in without}
    replaced = {label: kept[label] for label in _first_ones(spec, set(kept)) - without}
    if not replaced:
        return Carried(outputs)
    outputs |= replaced
    later = [label for label in _after(spec, set(replaced)) if label not in without]
    again = build.instantiate(project, replaced)
    drvs = {label: again.stages[label] for label in later}
    problem = None
    for rebuilder, group in groupby(drvs, key=rebuilders.__getitem__):
        labels = {drvs[label].drv_path: f"{label}, again" for label in group}
        problem = problem or rebuilder.realise(
            [drv for drv in drvs.values() if drv.drv_path in labels], labels
        )
    done = store.present([drv.out_path for drv in drvs.values()])
    comparisons = []
    for label, drv in drvs.items():
        outputs.pop(label, None)
        if drv.out_path in done:
            outputs[label] = drv.out_path
            if label in first:
                comparisons.append(rebuilders[label].compare(label, Path(first[label]), Path(drv.out_path)))
    return Carried(outputs, tuple(comparisons), problem)


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
