"""Resolve a project's wheels, so that the CUDA they are built for is the one that the spec asks for."""

from __future__ import annotations

from collections.abc import Sequence

from reprobuild.core.cuda_wheels import check_wheels, constraints, nvcc_requirements, without_cuda
from reprobuild.core.wheel_pin import ResolvedWheel
from reprobuild.domain.lock import DebianBasePin, Source
from reprobuild.errors import ResolveError
from reprobuild.ports import WheelResolver
from reprobuild.services.project import Project

# Builds without CUDA that are ruled out one after the other, before the next one is refused.
_RULED_OUT_AT_MOST = 8


def lock_wheels(
    resolver: WheelResolver,
    project: Project,
    pin: DebianBasePin,
    keep: Sequence[Source],
    update: frozenset[str],
) -> tuple[Source, ...]:
    """The wheels of `[python]` as lock entries.

    Raises:
        ResolveError: also where wheels are for another CUDA than `[cuda]`, or for none; NetworkError, ToolMissingError.
    """
    spec = project.spec
    system = spec.hardware.system
    files = [project.path / spec.python.requirements_file] if spec.python.requirements_file else []
    requirements = (*spec.python.requirements, *nvcc_requirements(spec))
    if not requirements and not files:
        return ()

    def resolved(constrained: tuple[str, ...]) -> tuple[ResolvedWheel, ...]:
        return resolver.resolve(
            requirements,
            files,
            python_version=pin.python_version,
            glibc_version=pin.glibc_version,
            system=system,
            keep=keep,
            update=update,
            constraints=constrained,
        )

    def with_cuda(constrained: tuple[str, ...]) -> tuple[ResolvedWheel, ...]:
        """The same without builds of torch that have no CUDA, where there are others."""
        wheels = resolved(constrained)
        for _ in range(_RULED_OUT_AT_MOST):
            # A wheelhouse may hold torch as 2.13.0+cpu, which counts as newer than the index's 2.13.0 with CUDA.
            unfit = without_cuda(spec, wheels)
            if unfit is None or "+" not in unfit.version:
                break
            constrained = (*constrained, f"{unfit.name}!={unfit.version}")
            try:
                wheels = resolved(constrained)
            except ResolveError:
                break
        return wheels

    given = constraints(spec)
    try:
        wheels = with_cuda(given)
        check_wheels(spec, wheels)
    except ResolveError:
        if given:
            # What comes out without our constraints says which line of the spec is in the way.
            check_wheels(spec, with_cuda(()))
        raise
    return tuple(wheel.source("wheel", system) for wheel in wheels)
