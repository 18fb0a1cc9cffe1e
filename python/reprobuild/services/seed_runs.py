"""Build the measuring stages of a project with several seeds, together: what the runs share is built once."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from reprobuild.core.build_needs import needed_derivations, needed_sources
from reprobuild.core.build_tree import BuildTree
from reprobuild.core.overrides import merged
from reprobuild.domain.lock import Source
from reprobuild.domain.machine import Machine
from reprobuild.domain.record import Revision
from reprobuild.domain.store import Derivation, Instantiation
from reprobuild.errors import InterruptedBuildError
from reprobuild.ports import Builder, HostFacts, RecordStore, Store
from reprobuild.services.build import BuildService, NewView
from reprobuild.services.project import Project, require_fresh_lock
from reprobuild.services.realise import Realiser


@dataclass(frozen=True)
class SeedRun:
    """The project with another seed, its derivations, and those of them that measure."""

    seed: int
    project: Project
    found: Instantiation
    measuring: dict[str, Derivation]  # stage -> derivation


class SeedRunBuilder:
    def __init__(
        self,
        *,
        build: BuildService,
        store: Store,
        builder: Builder,
        host: HostFacts,
        records: RecordStore,
        fetch: Callable[[Project, Sequence[Source]], object],
        log_file: Callable[[str], Path | None],
        classic: Callable[[Sequence[Machine]], Builder] | None = None,
        revision: Callable[[Project], Revision | None] = lambda project: None,
    ) -> None:
        """
        Args:
            classic: Nix here, which spreads the runs over other machines where stages need them.
            revision: where a project stands in git, for the records.
        """
        self._build = build
        self._store = store
        self._builder = builder
        self._fetch = fetch
        self._realiser = Realiser(store, host, records, log_file, revision)
        self._classic = classic

    def variants(self, project: Project, seeds: Sequence[int]) -> list[SeedRun]:
        """The project's derivations with each of these seeds; builds nothing.

        Raises:
            LockMissingError, LockStaleError.
        """
        return [self._with_seed(project, seed) for seed in seeds]

    def build(
        self,
        project: Project,
        variants: Sequence[SeedRun],
        new_view: NewView,
        jobs: int | None,
        caches: tuple[str, ...],
    ) -> tuple[str, ...]:
        """Build what is missing of all runs in one call of Nix; the artifacts are not built.

        Returns:
            labels (or names) of what was built now.
        Raises:
            BuildFailedError, InterruptedBuildError and others: as of a build; each run has its record then too.
        """
        needed = {
            drv: None
            for one in variants
            for drv in needed_derivations(one.project.spec, one.found, one.measuring)
        }
        targets = [drv for one in variants for drv in one.measuring.values()]
        valid = self._store.present([drv.out_path for drv in needed])
        if all(drv.out_path in valid for drv in targets):
            self._keep(project, variants)
            return ()
        missing = [drv for drv in needed if drv.out_path not in valid]
        elsewhere: dict[Machine, None] = {}
        for one in variants:
            placed = self._build.preflight(one.project.spec, one.found, missing, jobs=jobs)
            elsewhere |= {machine: None for machine in placed.values() if not machine.is_local}
        self._build.require_sandbox()
        self._fetch(project, _sources(project, variants, missing))
        tree = BuildTree([drv.drv_path for drv in missing], _labels(variants))
        view = new_view({wheel.drv_path: "wheels" for one in variants for wheel in one.found.wheels})
        realised = self._realiser.run(
            self._classic([*elsewhere]) if elsewhere and self._classic else self._builder,
            [drv.drv_path for drv in targets],
            tree,
            view,
            interrupted=InterruptedBuildError(
                f"{project.spec.model.name}: baseline interrupted; nothing half-made is left",
                hint="run the same command again: finished runs are kept",
            ),
            jobs=jobs,
            caches=caches,
        )
        self._keep(project, variants)
        for one in variants:
            self._realiser.record(realised, one.project, one.found)
        return self._realiser.built(realised, project.title)

    def _with_seed(self, project: Project, seed: int) -> SeedRun:
        numerics = project.spec.numerics.model_copy(update={"seed": seed})
        varied = dataclasses.replace(
            project,
            spec=project.spec.model_copy(update={"numerics": numerics}),
            overrides=merged(project.overrides, {"numerics": {"seed": seed}}),
        )
        found = self._build.instantiate(varied)
        stages = sorted({metric.stage for metric in project.spec.metrics.values()})
        return SeedRun(seed, varied, found, {name: found.stages[name] for name in stages})

    def _keep(self, project: Project, variants: Sequence[SeedRun]) -> None:
        """Roots for what was measured, so that a baseline made again costs nothing; also of a failed build."""
        outputs = [drv.out_path for one in variants for drv in one.measuring.values()]
        valid = self._store.present(outputs)
        for one in variants:
            for stage, drv in one.measuring.items():
                if drv.out_path in valid:
                    link = project.state_dir / "roots" / f"baseline-{one.seed}-{stage}"
                    self._store.add_root(link, drv.out_path)


def _sources(project: Project, variants: Sequence[SeedRun], missing: Sequence[Derivation]) -> list[Source]:
    locked = require_fresh_lock(project).for_system(project.spec.hardware.system)
    read = [needed_sources(one.project.spec, one.found, missing, locked) for one in variants]
    return [source for source in locked if any(source in one for one in read)]


def _labels(variants: Sequence[SeedRun]) -> dict[str, str]:
    """Derivation path → what people call it: stages by their seed, what the runs share by its own name."""
    shared = [one.found for one in variants]
    labels = {found.base.drv_path: "base" for found in shared}
    labels |= {found.environment.drv_path: "environment" for found in shared}
    return labels | {
        drv.drv_path: f"{stage} (seed {one.seed})"
        for one in variants
        for stage, drv in one.found.stages.items()
    }
