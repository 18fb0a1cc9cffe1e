"""Say beforehand what a build would build, fetch and reuse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reprobuild.domain.store import Instantiation
from reprobuild.ports import Store
from reprobuild.services.build import BuildService
from reprobuild.services.fetch import FetchPlan, FetchService
from reprobuild.services.project import Project, require_fresh_lock


@dataclass(frozen=True)
class BuildPlan:
    instantiation: Instantiation
    build: tuple[str, ...]  # labels, or names for wheels
    reuse: tuple[str, ...]
    fetch: FetchPlan | None  # None: nothing that is missing needs a source


class PlanService:
    def __init__(self, *, build: BuildService, store: Store, fetch: FetchService) -> None:
        self._build = build
        self._store = store
        self._fetch = fetch

    def run(self, project: Project, caches: Sequence[str] = ()) -> BuildPlan:
        """Evaluate and ask the store and the sources; changes nothing."""
        found = self._build.instantiate(project)
        valid = self._store.present([drv.out_path for drv in found.all()])
        labels = found.labels()
        done = found.model.out_path in valid
        build: list[str] = []
        reuse: list[str] = []
        for drv in found.all():
            name = labels.get(drv.drv_path, drv.name)
            (reuse if done or drv.out_path in valid else build).append(name)
        fetch = None
        if not done:
            lock = require_fresh_lock(project)
            sources = lock.for_system(project.spec.hardware.system)
            fetch = self._fetch.plan(sources, project.path, caches)
        return BuildPlan(found, tuple(build), tuple(reuse), fetch)
