"""What a build of some targets needs: derivations in building order, and pinned sources."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from reprobuild.core.gpu_features import NVML_TOOL
from reprobuild.domain.lock import Source
from reprobuild.domain.spec import Spec
from reprobuild.domain.store import Derivation, Instantiation
from reprobuild.domain.store_path import store_name

# How nix/lib/wheels.nix names derivations; a big wheel has a second one for its large files.
_WHEEL = re.compile(r"(?:big-)?wheel-(.+?)(?:-large-files)?")


def needed_derivations(spec: Spec, found: Instantiation, targets: Iterable[str]) -> tuple[Derivation, ...]:
    """All derivations that the targets can need, in building order.

    Args:
        targets: labels: stage names, base, environment, model.
    """
    targets = set(targets)
    if "model" in targets:
        return found.all()
    if targets <= {"base"}:
        return (found.base,)
    names: set[str] = set()
    todo = [target for target in targets if target in spec.stages]
    while todo:
        name = todo.pop()
        if name not in names:
            names.add(name)
            todo.extend(spec.stages[name].needs)
    stages = (drv for name, drv in found.stages.items() if name in names)
    return (found.base, *found.wheels, found.environment, *found.shims, *stages)


@dataclass(frozen=True)
class Needs:
    build: tuple[Derivation, ...]  # in building order
    take: tuple[Derivation, ...]  # are there, and are read by those, or asked for


def still_needed(spec: Spec, found: Instantiation, targets: Iterable[str], there: Collection[str]) -> Needs:
    """What is to be built, and what that reads, when some outputs are there already.

    What only leads to those is not needed: with the model there, nothing is.

    Args:
        targets: labels: stage names, base, environment, model.
        there: store paths.
    """
    reads: dict[Derivation, list[Derivation]] = {found.base: []}
    reads |= {wheel: [found.base] for wheel in found.wheels}
    reads |= {shim: [found.base, *found.wheels] for shim in found.shims}  # a CUDA compiler is made of wheels
    reads[found.environment] = [*found.wheels, found.base]
    for name, drv in found.stages.items():
        needs = [found.stages[need] for need in spec.stages[name].needs]
        reads[drv] = [found.environment, found.base, *found.shims, *needs]
    reads[found.model] = [found.base, *found.stages.values()]
    by_label = {"base": found.base, "environment": found.environment, **found.stages, "model": found.model}
    by_label |= {shim.name: shim for shim in found.shims}
    reached: set[Derivation] = set()
    todo = [by_label[label] for label in targets]
    while todo:
        drv = todo.pop()
        if drv not in reached:
            reached.add(drv)
            todo += reads[drv] if drv.out_path not in there else []
    used = [drv for drv in found.all() if drv in reached]
    return Needs(
        build=tuple(drv for drv in used if drv.out_path not in there),
        take=tuple(drv for drv in used if drv.out_path in there),
    )


def needed_sources(
    spec: Spec, found: Instantiation, missing: Collection[Derivation], sources: Iterable[Source]
) -> tuple[Source, ...]:
    """The sources that building these derivations reads; what is built already needs none.

    Args:
        missing: derivations that are to be built.
        sources: of the lock, for one system.
    """
    wheels = {
        named[1]
        for drv in found.wheels
        if drv in missing and (named := _WHEEL.fullmatch(drv.name)) is not None
    }
    data = {name for label, drv in found.stages.items() if drv in missing for name in spec.stages[label].data}
    base = found.base in missing
    on_gpu = any(drv in missing for label, drv in found.stages.items() if spec.stages[label].gpu)
    shim = any(drv in missing for drv in found.shims)

    def needed(source: Source) -> bool:
        match source.kind:
            case "deb":
                return base
            case "compiler":
                return shim
            case "seed":
                return base or shim
            case "tool" if source.name == NVML_TOOL:
                return on_gpu
            case "tool":
                return base or bool(wheels) or shim
            case "wheel":
                return store_name(f"{source.name}-{source.version}") in wheels
            case "data":
                return source.name in data

    return tuple(source for source in sources if needed(source))
