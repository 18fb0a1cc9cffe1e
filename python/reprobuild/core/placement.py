"""Which machine runs what: the first that Nix would give it to, this machine before others, then the quickest."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from reprobuild.core.gpu_features import required_features
from reprobuild.core.offers import no_builder
from reprobuild.domain.machine import AVX2_SYSTEM, Machine
from reprobuild.domain.spec import Spec
from reprobuild.domain.store import Derivation, Instantiation


@dataclass(frozen=True)
class Need:
    """What a derivation asks of its machine: `system` and `requiredSystemFeatures`."""

    label: str
    system: str
    features: tuple[str, ...] = ()


def stage_needs(spec: Spec, found: Instantiation, missing: Collection[Derivation]) -> tuple[Need, ...]:
    """What the stages that are to be built ask of their machines, in building order."""
    system = AVX2_SYSTEM if spec.numerics.level == "portable" else spec.hardware.system
    return tuple(
        Need(label, system, required_features(spec, label))
        for label, drv in found.stages.items()
        if drv in missing
    )


def fits(need: Need, machine: Machine) -> bool:
    """Whether Nix would build this there."""
    return machine.max_jobs > 0 and machine.takes(need.system, need.features)


def place(needs: Sequence[Need], machines: Sequence[Machine]) -> dict[str, Machine]:
    """Label → the machine that runs it. Equally good machines: the one named first.

    Raises:
        NoBuilderError: something fits nowhere; compares what is required with what each machine offers.
    """
    chosen: dict[str, Machine] = {}
    for need in needs:
        fitting = [machine for machine in machines if fits(need, machine)]
        if not fitting:
            raise no_builder(need.label, need.system, need.features, machines)
        chosen[need.label] = min(fitting, key=lambda one: (not one.is_local, -one.speed_factor))
    return chosen
