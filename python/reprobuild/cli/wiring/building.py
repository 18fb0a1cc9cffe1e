"""Services that build, here or on other machines."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from reprobuild.cli.wiring.sources import Sources

if TYPE_CHECKING:
    from reprobuild.domain.machine import Machine
    from reprobuild.domain.record import Revision
    from reprobuild.ports import Builder
    from reprobuild.services.baseline import BaselineService
    from reprobuild.services.build import BuildService
    from reprobuild.services.plan import PlanService
    from reprobuild.services.preflight import Preflight
    from reprobuild.services.project import Project
    from reprobuild.services.quota import Quota
    from reprobuild.services.remote import RemoteBuilder
    from reprobuild.services.shell import ShellService


class Building(Sources):
    """Services that build, here or on other machines."""

    def named_machines(self, names: Sequence[str]) -> tuple[Machine, ...]:
        """The machines that `--builder` names."""
        if not names:
            return ()
        from reprobuild.adapters.builder import machine_at
        from reprobuild.adapters.nix.machines import known_machines
        from reprobuild.core.machine_names import named_machine

        known = [entry.machine for entry in known_machines()]
        return tuple(named_machine(name, known) or machine_at(name) for name in names)

    def quota(self, max_hours: float | None = None, max_gpu_hours: float | None = None) -> Quota:
        from reprobuild.services.quota import Quota

        return Quota(self.records, max_hours, max_gpu_hours)

    def preflight(self, builders: Sequence[str] = (), quota: Quota | None = None) -> Preflight:
        from reprobuild.adapters.nix.machines import known_machines, this_machine
        from reprobuild.cli import render
        from reprobuild.services.preflight import Preflight

        return Preflight(
            this_machine,
            lambda: [entry.machine for entry in known_machines()],
            (lambda text: None) if self.quiet else render.note,
            self.named_machines(builders),
            quota.require if quota else None,
        )

    def remote_builder(
        self, project: Project, machine: Machine, *, offline: bool = False, caches: Sequence[str] = ()
    ) -> RemoteBuilder:
        """What builds a project's derivations on another machine."""
        from reprobuild.adapters.nix.evaluate import read_drv
        from reprobuild.adapters.nix.remote import RemoteNix
        from reprobuild.services.project import require_fresh_lock
        from reprobuild.services.remote import RemoteBuilder

        locked = require_fresh_lock(project).for_system(project.spec.hardware.system)
        sources = {source.store_path: source for source in locked}
        fetch = self.fetcher(offline=offline, caches=caches)
        return RemoteBuilder(
            machine=RemoteNix(machine),
            store=self.store,
            read_drv=read_drv,
            fetch=lambda paths: fetch(project, [sources[path] for path in paths]),
            source_bytes={path: source.size_bytes for path, source in sources.items()},
            keep_log=self.kept_logs.add,
        )

    def classic_builder(self, machines: Sequence[Machine]) -> Builder:
        """Nix on this machine, which sends builds to these ones by itself; without any, as its own setting says."""
        from reprobuild.adapters.nix.realise import NixBuilder
        from reprobuild.adapters.nix.remote import RemoteNix
        from reprobuild.core.machines_file import machine_line
        from reprobuild.services.classic import ClassicBuilder

        if not machines:
            return NixBuilder(None)
        nix = NixBuilder([machine_line(one) for one in machines])
        return ClassicBuilder([RemoteNix(one) for one in machines], nix)

    def revision(self, project: Project) -> Revision | None:
        """Where a project stands in git, for build records."""
        from reprobuild.adapters import git

        return git.revision(project.path, project.code_files)

    def build_service(
        self,
        *,
        offline: bool = False,
        caches: Sequence[str] = (),
        builders: Sequence[str] = (),
        classic: bool = False,
        quota: Quota | None = None,
    ) -> BuildService:
        """
        Args:
            builders: names and addresses of the machines asked for.
            classic: Nix itself sends builds there.
            quota: how long builds may take; None: as long as they do.
        """
        from reprobuild.adapters.host import LinuxHost
        from reprobuild.adapters.nix.evaluate import NixEvaluator
        from reprobuild.adapters.nix.realise import NixBuilder
        from reprobuild.adapters.nix.sandbox import sandbox_problem
        from reprobuild.adapters.resources import nix_library
        from reprobuild.services.build import BuildService
        from reprobuild.services.elsewhere import Elsewhere

        fetch = self.fetcher(offline=offline, caches=caches)

        return BuildService(
            evaluator=NixEvaluator(nix_library()),
            store=self.store,
            builder=NixBuilder(),
            host=LinuxHost(),
            records=self.records,
            fetch=fetch,
            log_file=self.log_file,
            sandbox_problem=lambda: sandbox_problem(nix_library()),
            preflight=self.preflight(builders, quota),
            elsewhere=None
            if classic
            else Elsewhere(partial(self.remote_builder, offline=offline, caches=caches), fetch),
            classic=self.classic_builder if classic else None,
            offers=self.offered,
            revision=self.revision,
        )

    def plan_service(self, project: Project) -> PlanService:
        from reprobuild.services.plan import PlanService

        return PlanService(
            build=self.build_service(),
            store=self.store,
            fetch=self.fetch_service(project),
            offers=self.cache_offers,
            expected=self.quota().expected,
        )

    def shell_service(self, *, offline: bool = False) -> ShellService:
        from reprobuild.services.shell import ShellService

        return ShellService(self.build_service(offline=offline))

    def baseline_service(self, *, offline: bool = False, caches: Sequence[str] = ()) -> BaselineService:
        from reprobuild.adapters.host import LinuxHost
        from reprobuild.adapters.nix.realise import NixBuilder
        from reprobuild.services.baseline import BaselineService
        from reprobuild.services.seed_runs import SeedRunBuilder

        seed_runs = SeedRunBuilder(
            build=self.build_service(offline=offline, caches=caches),
            store=self.store,
            builder=NixBuilder(),
            host=LinuxHost(),
            records=self.records,
            fetch=self.fetcher(offline=offline, caches=caches),
            log_file=self.log_file,
            classic=self.classic_builder,
            revision=self.revision,
        )
        return BaselineService(seed_runs=seed_runs, store=self.store)
