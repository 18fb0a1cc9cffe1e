"""The one place that knows all adapters: puts them into services. Imports are lazy, for a quick start."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from reprobuild.cli.progress import Renderer, choose

if TYPE_CHECKING:
    from reprobuild.adapters.binary_cache.reader import BinaryCacheReader
    from reprobuild.adapters.debian.archive import DebianArchive
    from reprobuild.adapters.http import HttpxClient
    from reprobuild.adapters.kept_logs import KeptLogs
    from reprobuild.adapters.nix.store import NixStore
    from reprobuild.adapters.record_store import FileRecordStore
    from reprobuild.adapters.uv import Uv
    from reprobuild.domain.hardware import HardwareProfile
    from reprobuild.domain.lock import Source
    from reprobuild.domain.machine import Machine
    from reprobuild.ports import Builder
    from reprobuild.services.archive import ArchiveService
    from reprobuild.services.baseline import BaselineService
    from reprobuild.services.build import BuildService
    from reprobuild.services.builder_check import BuilderCheckService
    from reprobuild.services.builder_list import BuilderListService
    from reprobuild.services.builder_setup import BuilderSetup
    from reprobuild.services.cache_check import CacheCheckService
    from reprobuild.services.cache_offers import CacheOffers
    from reprobuild.services.cache_transfer import CacheTransferService
    from reprobuild.services.diff import DiffService
    from reprobuild.services.doctor import DoctorService
    from reprobuild.services.fetch import FetchReport, FetchService
    from reprobuild.services.keys import KeyService
    from reprobuild.services.lock import LockService
    from reprobuild.services.plan import PlanService
    from reprobuild.services.preflight import Preflight
    from reprobuild.services.project import Project
    from reprobuild.services.remote import RemoteBuilder
    from reprobuild.services.sbom import SbomService
    from reprobuild.services.shell import ShellService
    from reprobuild.services.side import Sides
    from reprobuild.services.verify import VerifyService


def session(*, quiet: bool = False) -> Session:
    return Session(quiet)


def cache_home() -> Path:
    """`$XDG_CACHE_HOME/reprobuild`, by default `~/.cache/reprobuild`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "reprobuild"


def templates() -> Path:
    """Folder with the projects that `reprobuild init` starts from."""
    from reprobuild.adapters import resources

    return resources.templates()


def all_caches(given: Sequence[str]) -> tuple[str, ...]:
    """Binary caches: those of the call, then those of REPROBUILD_CACHES (separated by spaces)."""
    return (*given, *os.environ.get("REPROBUILD_CACHES", "").split())


@dataclass
class Session:
    """Everything one command needs, made when first asked for."""

    quiet: bool

    @cached_property
    def renderer(self) -> Renderer:
        return choose(sys.stderr, os.environ, self.quiet)

    @cached_property
    def store(self) -> NixStore:
        from reprobuild.adapters.nix.store import NixStore

        return NixStore()

    @cached_property
    def http(self) -> HttpxClient:
        from reprobuild.adapters.http import HttpxClient

        return HttpxClient()

    @cached_property
    def uv(self) -> Uv:
        from reprobuild.adapters.uv import Uv

        return Uv(http=self.http, cache_dir=cache_home())

    @cached_property
    def records(self) -> FileRecordStore:
        from reprobuild.adapters.record_store import FileRecordStore, state_home

        return FileRecordStore(state_home() / "records")

    def debian(self, mirrors: Sequence[str]) -> DebianArchive:
        from reprobuild.adapters.debian.archive import DebianArchive
        from reprobuild.adapters.debian.mirrors import find_mirrors

        return DebianArchive(find_mirrors(mirrors, os.environ), self.http, cache=cache_home() / "debian")

    def lock_service(self) -> LockService:
        from reprobuild.adapters.file_hasher import CachedFileHasher
        from reprobuild.adapters.seed import DebianSeedMaker
        from reprobuild.services.lock import LockService

        return LockService(
            base=self.debian,
            wheels=self.uv,
            seed=DebianSeedMaker(self.debian),
            hasher=CachedFileHasher(cache_home() / "digests"),
            url_size=self.http.size_bytes,
        )

    def fetch_service(self, project: Project) -> FetchService:
        from reprobuild.adapters.seed import unpack_seed
        from reprobuild.services.fetch import FetchService

        def debian_addresses(source: Source) -> Sequence[str]:
            from reprobuild.services.project import read_lock

            pin = read_lock(project).systems[project.spec.hardware.system]
            return self.debian(project.spec.base.mirrors).package_urls(source.pool_path or "", pin.snapshot)

        def data_addresses(source: Source) -> Sequence[str]:
            dataset = project.spec.datasets.get(source.name)
            return [dataset.url] if dataset is not None and dataset.url else []

        return FetchService(
            store=self.store,
            http=self.http,
            locator=self.uv,
            debian_addresses=debian_addresses,
            data_addresses=data_addresses,
            unpack_seed=unpack_seed,
            progress=self.renderer.fetch_progress(),
            cache_dir=cache_home(),
        )

    def fetch_all(self, project: Project, *, offline: bool, given_caches: Sequence[str]) -> FetchReport:
        """Fill every source of a project's lock."""
        from reprobuild.services.project import require_fresh_lock

        lock = require_fresh_lock(project)
        return self.fetch_service(project).run(
            lock.for_system(project.spec.hardware.system),
            project.path,
            offline=offline,
            caches=all_caches(given_caches),
        )

    def fetcher(
        self, *, offline: bool = False, caches: Sequence[str] = ()
    ) -> Callable[[Project, Sequence[Source]], None]:
        """What services fill the store's missing sources with."""

        def fetch(project: Project, sources: Sequence[Source]) -> None:
            if sources:
                self.fetch_service(project).run(
                    sources, project.path, offline=offline, caches=all_caches(caches)
                )

        return fetch

    @cached_property
    def kept_logs(self) -> KeptLogs:
        from reprobuild.adapters.kept_logs import KeptLogs
        from reprobuild.adapters.record_store import state_home

        return KeptLogs(state_home() / "logs")

    def log_file(self, drv_path: str) -> Path | None:
        """Where the log of a build lies: of another machine's what we heard, of this one's what Nix keeps."""
        from reprobuild.adapters.nix.realise import log_file

        return self.kept_logs.file(drv_path) or log_file(drv_path)

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

    def named_machines(self, names: Sequence[str]) -> tuple[Machine, ...]:
        """The machines that `--builder` names."""
        if not names:
            return ()
        from reprobuild.adapters.builder import machine_at
        from reprobuild.adapters.nix.machines import known_machines
        from reprobuild.core.machine_names import named_machine

        known = [entry.machine for entry in known_machines()]
        return tuple(named_machine(name, known) or machine_at(name) for name in names)

    def preflight(self, builders: Sequence[str] = ()) -> Preflight:
        from reprobuild.adapters.nix.machines import known_machines, this_machine
        from reprobuild.cli import render
        from reprobuild.services.preflight import Preflight

        return Preflight(
            this_machine,
            lambda: [entry.machine for entry in known_machines()],
            (lambda text: None) if self.quiet else render.note,
            self.named_machines(builders),
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

    def build_service(
        self,
        *,
        offline: bool = False,
        caches: Sequence[str] = (),
        builders: Sequence[str] = (),
        classic: bool = False,
    ) -> BuildService:
        """
        Args:
            builders: names and addresses of the machines asked for.
            classic: Nix itself sends builds there.
        """
        from reprobuild.adapters.host import LinuxHost
        from reprobuild.adapters.nix.evaluate import NixEvaluator
        from reprobuild.adapters.nix.realise import NixBuilder
        from reprobuild.adapters.nix.sandbox import sandbox_problem
        from reprobuild.adapters.resources import nix_library
        from reprobuild.services.build import BuildService
        from reprobuild.services.steps import Elsewhere

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
            preflight=self.preflight(builders),
            elsewhere=None
            if classic
            else Elsewhere(partial(self.remote_builder, offline=offline, caches=caches), fetch),
            classic=self.classic_builder if classic else None,
            offers=self.offered,
        )

    def verify_service(self, builders: Sequence[str] = ()) -> VerifyService:
        from reprobuild.adapters.diffoscope import Diffoscope
        from reprobuild.adapters.nix.realise import NixBuilder
        from reprobuild.services.rebuild import Rebuilder
        from reprobuild.services.verify import VerifyService

        view = self.renderer.build_view

        def on_machine(project: Project, machine: Machine) -> Rebuilder:
            builder = self.remote_builder(project, machine)
            return Rebuilder(builder, self.store, view, self.log_file, Diffoscope(), machine.name)

        return VerifyService(
            build=self.build_service(builders=builders),
            store=self.store,
            records=self.records,
            rebuilder=Rebuilder(NixBuilder(), self.store, view, self.log_file, Diffoscope()),
            new_view=view,
            remote_rebuilder=on_machine,
        )

    def sides(self) -> Sides:
        from reprobuild.adapters import git
        from reprobuild.adapters.diffoscope import Diffoscope
        from reprobuild.services.side import Sides

        view = self.renderer.build_view
        return Sides(self.build_service(), self.store, self.records, git.export, view, Diffoscope())

    def diff_service(self) -> DiffService:
        from reprobuild.adapters.nix.evaluate import read_drv
        from reprobuild.services.diff import DiffService
        from reprobuild.services.snapshot import Snapshots

        return DiffService(Snapshots(self.sides(), self.store.closure, self.store.deriver), read_drv)

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
        )
        return BaselineService(seed_runs=seed_runs, store=self.store)

    @cached_property
    def cache_reader(self) -> BinaryCacheReader:
        from reprobuild.adapters.binary_cache.reader import BinaryCacheReader

        return BinaryCacheReader(self.http)

    @cached_property
    def cache_offers(self) -> CacheOffers:
        from reprobuild.adapters.nix.process import trusted_keys
        from reprobuild.services.cache_offers import CacheOffers

        return CacheOffers(self.cache_reader, trusted_keys)

    def offered(self, paths: Sequence[str], caches: Sequence[str]) -> Collection[str]:
        """Which of these paths caches would give; says what is wrong with a cache."""
        from reprobuild.cli import render
        from reprobuild.core.addresses import shown_address
        from reprobuild.services.cache_offers import first_offers

        answers = self.cache_offers.ask(paths, caches)
        for answer in answers:
            if answer.problem:
                render.note(f"warning: {answer.problem}; going on without this cache")
            elif answer.unsigned:
                count, address = len(answer.unsigned), shown_address(answer.cache)
                render.note(f"warning: {address}: {count} outputs are signed by no trusted key: not taken")
        return first_offers(answers).keys()

    def cache_transfer_service(self) -> CacheTransferService:
        from reprobuild.adapters.nix.copy import NixCopier
        from reprobuild.adapters.nix.process import trusted_keys
        from reprobuild.services.cache_transfer import CacheTransferService

        return CacheTransferService(
            build=self.build_service(),
            store=self.store,
            reader=self.cache_reader,
            copier=NixCopier(),
            configured_keys=trusted_keys(),
        )

    def archive_service(self, *, offline: bool = False, caches: Sequence[str] = ()) -> ArchiveService:
        from reprobuild.adapters import resources
        from reprobuild.adapters.nix.evaluate import drv_path_of
        from reprobuild.services.archive import ArchiveService

        return ArchiveService(
            build=self.build_service(),
            store=self.store,
            transfer=self.cache_transfer_service(),
            fetch=self.fetcher(offline=offline, caches=caches),
            instantiate=drv_path_of,
            data_root=resources.nix_library().parent,
            templates=resources.templates(),
        )

    def cache_check_service(self) -> CacheCheckService:
        from reprobuild.adapters.nix.process import trusted_keys
        from reprobuild.services.cache_check import CacheCheckService

        return CacheCheckService(
            build=self.build_service(),
            store=self.store,
            reader=self.cache_reader,
            records=self.records,
            configured_keys=trusted_keys(),
        )

    def plan_service(self, project: Project) -> PlanService:
        from reprobuild.services.plan import PlanService

        return PlanService(
            build=self.build_service(),
            store=self.store,
            fetch=self.fetch_service(project),
            offers=self.cache_offers,
        )

    def sbom_service(self) -> SbomService:
        from reprobuild.adapters.licence_texts import LicenceFiles
        from reprobuild.services.sbom import SbomService

        return SbomService(LicenceFiles(), cache_home())

    def shell_service(self, *, offline: bool = False) -> ShellService:
        from reprobuild.services.shell import ShellService

        return ShellService(self.build_service(offline=offline))

    def hardware_probe(self) -> Callable[[], HardwareProfile]:
        from reprobuild.adapters.hardware_probe import measure_here

        return measure_here

    def builder_setup(self, root: Path) -> BuilderSetup:
        from reprobuild.adapters.resources import gpu_hook
        from reprobuild.services.builder_setup import BuilderSetup

        return BuilderSetup(gpu_hook(), root)

    def system_python(self) -> str:
        from reprobuild.adapters.system_python import system_python

        return system_python()

    def builder_list(self) -> BuilderListService:
        from reprobuild.adapters.builder import SshBuilders
        from reprobuild.adapters.nix import machines
        from reprobuild.services.builder_list import BuilderListService

        return BuilderListService(machines, SshBuilders(), lambda: machines.this_machine().systems[0])

    def builder_check(self) -> BuilderCheckService:
        from reprobuild.adapters.builder import SshBuilders
        from reprobuild.services.builder_check import BuilderCheckService

        return BuilderCheckService(SshBuilders())

    def doctor_service(self) -> DoctorService:
        from reprobuild.adapters import host_checks
        from reprobuild.services.doctor import DoctorService

        return DoctorService(host_checks.ALL)

    def key_service(self) -> KeyService:
        from datetime import UTC, datetime

        from reprobuild.adapters.key_store import FileKeyStore, key_folder
        from reprobuild.services.keys import KeyService

        return KeyService(FileKeyStore(key_folder()), datetime.now(UTC).date().isoformat())
