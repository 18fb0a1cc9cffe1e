"""Services around binary caches and archives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reprobuild.cli.wiring.building import Building

if TYPE_CHECKING:
    from reprobuild.services.archive import ArchiveService
    from reprobuild.services.cache_check import CacheCheckService
    from reprobuild.services.cache_transfer import CacheTransferService


class Sharing(Building):
    """Services around binary caches and archives."""

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
