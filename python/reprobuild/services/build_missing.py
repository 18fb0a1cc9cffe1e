"""Build what a project lacks: place each stage, fetch, realise, and write the record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reprobuild.core.build_needs import needed_sources, still_needed
from reprobuild.core.build_tree import BuildTree
from reprobuild.domain.lock import Source
from reprobuild.domain.machine import Machine
from reprobuild.domain.record import BuildRecord, Revision
from reprobuild.domain.store import Derivation, Instantiation
from reprobuild.errors import InterruptedBuildError
from reprobuild.ports import Builder, HostFacts, RecordStore, Store
from reprobuild.services.elsewhere import Elsewhere
from reprobuild.services.preflight import Preflight
from reprobuild.services.project import Project, require_fresh_lock
from reprobuild.services.realise import Realiser
from reprobuild.services.steps import prepare_steps

if TYPE_CHECKING:
    from reprobuild.services.build import BuildRequest, NewView


@dataclass(frozen=True)
class Realisation:
    """What was built.

    Args:
        built: labels (or names).
        machines: store path → machine that has it.
    """

    built: tuple[str, ...]
    record_path: Path
    record: BuildRecord
    machines: Mapping[str, str]


@dataclass(frozen=True)
class MissingBuilder:
    """
    Args:
        require_sandbox: raises where builds on this host would not be isolated.
        elsewhere: how builds get to other machines; None: they do not, or Nix sends them.
        classic: Nix here, told of these machines, which sends builds there itself.
    """

    store: Store
    builder: Builder
    host: HostFacts
    records: RecordStore
    fetch: Callable[[Project, Sequence[Source]], object]
    log_file: Callable[[str], Path | None]
    revision: Callable[[Project], Revision | None]
    require_sandbox: Callable[[], None]
    preflight: Preflight
    elsewhere: Elsewhere | None
    classic: Callable[[Sequence[Machine]], Builder] | None

    def run(
        self,
        project: Project,
        found: Instantiation,
        targets: dict[str, Derivation],
        request: BuildRequest,
        new_view: NewView,
        keep_stages: Callable[[], None],
    ) -> Realisation:
        """
        Args:
            keep_stages: called when nothing runs any more, also where something failed.
        Raises: as `BuildService.run`.
        """
        valid = self.store.present([drv.out_path for drv in found.all()])
        missing = still_needed(project.spec, found, targets, valid).build
        placed = self.preflight(project.spec, found, missing, jobs=request.jobs)
        last = self.preflight.without_features(project.spec, jobs=request.jobs)
        steps = None
        if self.elsewhere is not None and not all(one.is_local for one in (last, *placed.values())):
            steps = prepare_steps(
                project,
                found,
                targets,
                missing,
                placed,
                last,
                here=self.builder,
                elsewhere=self.elsewhere,
                record_only=request.record_only,
            )
        if steps is None or steps.uses_this_machine:
            self.require_sandbox()
        if steps is None:
            sources = require_fresh_lock(project).for_system(project.spec.hardware.system)
            self.fetch(project, needed_sources(project.spec, found, missing, sources))
        tree = BuildTree(steps.planned if steps else [drv.drv_path for drv in missing], found.labels())
        view = new_view({wheel.drv_path: "wheels" for wheel in found.wheels})
        realiser = Realiser(self.store, self.host, self.records, self.log_file, self.revision)
        realised = realiser.run(
            steps or self._builder_for([*self.preflight.named, *placed.values(), last]),
            [drv.drv_path for drv in targets.values()],
            tree,
            view,
            interrupted=InterruptedBuildError(
                f"{project.spec.model.name}: build interrupted; nothing half-made is left",
                hint="run the same command again: finished stages are kept",
            ),
            jobs=request.jobs,
            keep_going=request.keep_going,
            caches=request.caches,
        )
        keep_stages()
        path, record = realiser.record(realised, project, found, steps.infos if steps else {})
        built = realiser.built(realised, project.title)
        return Realisation(built, path, record, steps.machines if steps else {})

    def _builder_for(self, machines: Sequence[Machine]) -> Builder:
        """Nix here; by the classic way it sends builds to those of these machines that are others."""
        if self.classic is None:
            return self.builder
        others = {machine.uri: machine for machine in machines if not machine.is_local}
        return self.classic([*others.values()])
