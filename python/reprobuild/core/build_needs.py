"""What a build of some targets needs: derivations in building order, and pinned sources."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

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
