"""A build in steps, one machine each: which derivations run where, and which outputs must move on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from reprobuild.domain.machine import Machine
from reprobuild.domain.spec import Spec
from reprobuild.domain.store import Derivation


@dataclass(frozen=True)
class Step:
    """
    Args:
        targets: label → derivation to build there, in building order.
        hand_on: outputs that a later step on another machine reads.
    """

    machine: Machine
    targets: dict[str, Derivation]
    hand_on: frozenset[str] = frozenset()


def in_steps(
    spec: Spec,
    stages: Mapping[str, Derivation],
    others: Mapping[str, Derivation],
    placed: Mapping[str, Machine],
    *,
    last: Machine,
) -> tuple[Step, ...]:
    """Consecutive stages of one machine are one step.

    Args:
        stages: label → derivation of the stages that are to be built, in the order of their needs.
        others: label → derivation of what else is asked for: the model, or what stages read.
        placed: label → machine, of each of those stages.
        last: where `others` are built if they are the last ones and it takes them.
    """
    groups: list[tuple[Machine, dict[str, Derivation]]] = []
    wanted = [(label, drv, placed[label]) for label, drv in stages.items()]
    wanted += [(label, drv, last) for label, drv in others.items()]
    for label, drv, machine in wanted:
        if not groups or groups[-1][0] != machine:
            groups.append((machine, {}))
        groups[-1][1][label] = drv
    return tuple(
        Step(machine, targets, _handed_on(spec, machine, targets, groups[number + 1 :]))
        for number, (machine, targets) in enumerate(groups)
    )


def _handed_on(
    spec: Spec,
    machine: Machine,
    targets: Mapping[str, Derivation],
    later: Collection[tuple[Machine, dict[str, Derivation]]],
) -> frozenset[str]:
    elsewhere = [label for other, asked in later if other != machine for label in asked]
    # the model reads all stages
    read = {
        need
        for label in elsewhere
        for need in (spec.stages[label].needs if label in spec.stages else targets)
    }
    return frozenset(drv.out_path for label, drv in targets.items() if label in read)
