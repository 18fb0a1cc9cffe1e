"""What every command may need: the store, the network, records, what is shown."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from reprobuild.cli.progress import Renderer, choose
from reprobuild.cli.wiring.places import cache_home

if TYPE_CHECKING:
    from reprobuild.adapters.binary_cache.reader import BinaryCacheReader
    from reprobuild.adapters.file_hasher import CachedFileHasher
    from reprobuild.adapters.http import HttpxClient
    from reprobuild.adapters.kept_logs import KeptLogs
    from reprobuild.adapters.nix.store import NixStore
    from reprobuild.adapters.record_store import FileRecordStore
    from reprobuild.adapters.uv import Uv
    from reprobuild.cli.progress import BuildView
    from reprobuild.services.cache_offers import CacheOffers


@dataclass
class Shared:
    """What every command may need: the store, the network, records, what is shown."""

    quiet: bool

    @cached_property
    def renderer(self) -> Renderer:
        return choose(sys.stderr, os.environ, self.quiet)

    def build_view(self, groups: Mapping[str, str] | None = None) -> BuildView:
        """What shows one build, made when something is built."""
        return self.renderer.build_view(groups)

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

    @cached_property
    def hasher(self) -> CachedFileHasher:
        from reprobuild.adapters.file_hasher import CachedFileHasher

        return CachedFileHasher(cache_home() / "digests")

    @cached_property
    def kept_logs(self) -> KeptLogs:
        from reprobuild.adapters.kept_logs import KeptLogs
        from reprobuild.adapters.record_store import state_home

        return KeptLogs(state_home() / "logs")

    def log_file(self, drv_path: str) -> Path | None:
        """Where the log of a build lies: of another machine's what we heard, of this one's what Nix keeps."""
        from reprobuild.adapters.nix.realise import log_file

        return self.kept_logs.file(drv_path) or log_file(drv_path)

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
