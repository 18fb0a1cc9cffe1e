"""Build the measuring stages of a project with several seeds, together: what the runs share is built once."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from reprobuild.core.build_failure import failure
from reprobuild.core.build_needs import needed_derivations, needed_sources
from reprobuild.core.build_state import BuildStatus
from reprobuild.core.build_tree import BuildTree
from reprobuild.core.overrides import merged
from reprobuild.domain.lock import Source
from reprobuild.domain.store import Derivation, Instantiation
from reprobuild.errors import InterruptedBuildError
from reprobuild.ports import Builder, HostFacts, RecordStore, Store
from reprobuild.services.build import BuildService, NewView
from reprobuild.services.build_record import Moment, make_record
from reprobuild.services.project import Project, require_fresh_lock
from reprobuild.services.watched import realise_watched


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
    ) -> None:
        self._build = build
        self._store = store
        self._builder = builder
        self._host = host
        self._records = records
        self._fetch = fetch
        self._log_file = log_file

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
        for one in variants:
            self._build.preflight(one.project.spec, one.found, missing, jobs=jobs)
        self._build.require_sandbox()
        self._fetch(project, _sources(project, variants, missing))
        tree = BuildTree([drv.drv_path for drv in missing], _labels(variants))
        view = new_view({wheel.drv_path: "wheels" for one in variants for wheel in one.found.wheels})
        begun, status, interrupted = Moment.now(), 1, False
        try:
            status = realise_watched(
                self._builder,
                [drv.drv_path for drv in targets],
                tree,
                view,
                jobs=jobs,
                caches=caches,
            )
        except KeyboardInterrupt:
            interrupted = True
        self._keep(project, variants)
        for one in variants:
            self._records.write(
                make_record(
                    one.project,
                    one.found,
                    tree,
                    begun,
                    status="interrupted" if interrupted else "built" if status == 0 else "failed",
                    store=self._store,
                    host=self._host,
                    log_file=self._log_file,
                )
            )
        if interrupted:
            raise InterruptedBuildError(
                f"{project.spec.model.name}: baseline interrupted; nothing half-made is left",
                hint="run the same command again: finished runs are kept",
            )
        if status != 0:
            raise failure(status, tree, self._log_file, project.title)
        return tuple(state.label or state.name for state in tree.with_status(BuildStatus.DONE))

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
