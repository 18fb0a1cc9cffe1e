"""Say beforehand what a build would build, fetch and reuse."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reprobuild.core.build_needs import needed_sources
from reprobuild.domain.machine import Machine
from reprobuild.domain.store import Derivation, Instantiation
from reprobuild.ports import Store
from reprobuild.services.build import BuildService
from reprobuild.services.fetch import FetchPlan, FetchService
from reprobuild.services.project import Project, require_fresh_lock


@dataclass(frozen=True)
class BuildPlan:
    instantiation: Instantiation
    build: tuple[str, ...]  # labels, or names for wheels
    reuse: tuple[str, ...]
    where: dict[str, Machine]  # stage to build -> the machine that runs it
    fetch: FetchPlan  # only what the missing ones read


class PlanService:
    def __init__(self, *, build: BuildService, store: Store, fetch: FetchService) -> None:
        self._build = build
        self._store = store
        self._fetch = fetch

    def run(self, project: Project, caches: Sequence[str] = ()) -> BuildPlan:
        """Evaluate and ask the store and the sources; changes nothing.

        Raises:
            NoBuilderError: no known machine can run a stage.
        """
        found = self._build.instantiate(project)
        valid = self._store.present([drv.out_path for drv in found.all()])
        done = found.model.out_path in valid
        missing = [drv for drv in found.all() if not done and drv.out_path not in valid]
        sources = require_fresh_lock(project).for_system(project.spec.hardware.system)
        needed = needed_sources(project.spec, found, missing, sources)
        labels = found.labels()

        def names(derivations: Iterable[Derivation]) -> tuple[str, ...]:
            return tuple(labels.get(drv.drv_path, drv.name) for drv in derivations)

        return BuildPlan(
            instantiation=found,
            build=names(missing),
            reuse=names(drv for drv in found.all() if drv not in missing),
            where=self._build.preflight(project.spec, found, missing),
            fetch=self._fetch.plan(needed, project.path, caches),
        )
