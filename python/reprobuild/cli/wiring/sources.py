"""Services that lock and fetch."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from reprobuild.cli.wiring.places import all_caches, cache_home
from reprobuild.cli.wiring.shared import Shared

if TYPE_CHECKING:
    from reprobuild.adapters.debian.archive import DebianArchive
    from reprobuild.domain.lock import Source
    from reprobuild.services.fetch import FetchReport, FetchService
    from reprobuild.services.lock import LockService
    from reprobuild.services.project import Project


class Sources(Shared):
    """Services that lock and fetch."""

    def debian(self, mirrors: Sequence[str]) -> DebianArchive:
        from reprobuild.adapters.debian.archive import DebianArchive
        from reprobuild.adapters.debian.mirrors import find_mirrors

        return DebianArchive(find_mirrors(mirrors, os.environ), self.http, cache=cache_home() / "debian")

    def lock_service(self) -> LockService:
        from reprobuild.adapters.seed import DebianSeedMaker
        from reprobuild.services.lock import LockService

        return LockService(
            base=self.debian,
            wheels=self.uv,
            seed=DebianSeedMaker(self.debian),
            hasher=self.hasher,
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
