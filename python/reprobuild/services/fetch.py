"""Fill the fixed-output paths of a lock's sources by content, from wherever the bytes can be had.

Every file is checked against the lock before the store gets it; where it came from does not matter.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from reprobuild.core.addresses import shown_address
from reprobuild.domain.lock import Source
from reprobuild.domain.store_path import STORE_DIR
from reprobuild.errors import DiskFullError, NetworkError, SourcesMissingError
from reprobuild.ports import ByteProgress, HttpClient, SourceStore, WheelLocator
from reprobuild.services.cache_offers import Offer
from reprobuild.services.fetch_places import Addresses, Place, Wanted
from reprobuild.services.fetch_report import Fetched, FetchPlan, FetchReport, Planned
from reprobuild.services.fetch_run import Edges, FetchRun

__all__ = ["FetchPlan", "FetchReport", "FetchService", "Fetched", "Planned"]

_SHOWN = 40
_SPARE_BYTES = 64 << 20


class FetchService:
    """
    Args:
        debian_addresses: package or seed → addresses, best first.
        data_addresses: dataset without a path in the project → addresses.
        unpack_seed: (package file, empty folder) → the seed's folder, under its store name.
        cache_dir: downloads are kept in `files` below it; may be removed at any time.
        store_dir: where the store's disk is measured.
    """

    def __init__(
        self,
        *,
        store: SourceStore,
        http: HttpClient,
        locator: WheelLocator,
        debian_addresses: Addresses,
        unpack_seed: Callable[[Path, Path], Path],
        progress: ByteProgress,
        cache_dir: Path,
        data_addresses: Addresses = lambda _source: (),
        store_dir: Path = Path(STORE_DIR),
        free_bytes: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free,
    ) -> None:
        self._edges = Edges(
            store, http, locator, debian_addresses, data_addresses, unpack_seed, progress, cache_dir
        )
        self._store_dir = store_dir
        self._free_bytes = free_bytes

    def plan(
        self,
        sources: Sequence[Source],
        project_dir: Path,
        caches: Sequence[str] = (),
        offered: Mapping[str, Offer] = {},
    ) -> FetchPlan:
        """Where everything would come from; fetches nothing.

        Args:
            offered: store path → what a binary cache said it has.
        """
        every = _unique(sources)
        present = self._edges.store.present(list(every))
        missing = [
            Wanted.of(source) for path, source in every.items() if path not in present and path not in offered
        ]
        try:
            places = self._edges.places(missing, project_dir, offline=False)
        except NetworkError:
            places = self._edges.places(missing, project_dir, offline=True)
        items = []
        for path, source in every.items():
            first = next(iter(places.get(path, ())), None)
            if path in present:
                items.append(Planned(source, "store", path))
            elif (offer := offered.get(path)) is not None:
                sent_bytes = 0 if _is_local(offer.cache) else offer.size_bytes
                items.append(Planned(source, "binary-cache", offer.label, sent_bytes))
            elif first is None:
                items.append(Planned(source, "nowhere"))
            else:
                download_bytes = 0 if first.file is not None else source.size_bytes
                items.append(Planned(source, first.kind, first.label, download_bytes))
        return FetchPlan(tuple(items), tuple(caches))

    def run(
        self,
        sources: Sequence[Source],
        project_dir: Path,
        *,
        offline: bool = False,
        caches: Sequence[str] = (),
        jobs: int = 8,
    ) -> FetchReport:
        """Bring every source into the store. When all are there it costs one question to the store.

        Args:
            offline: nothing is asked of the network; caches that are folders are.
            jobs: files under way at once.
        Raises:
            SourcesMissingError: nobody has them, or nobody on this machine (offline).
            ContentMismatchError: every place gave other bytes, or none and one gave other bytes.
            NetworkError: no place answered.
            DiskFullError: there is less room than the downloads need.
        """
        started_s = time.monotonic()
        every = _unique(sources)
        present = self._edges.store.present(list(every))
        reused = tuple(source for path, source in every.items() if path in present)
        missing = {path: source for path, source in every.items() if path not in present}
        fetched: list[Fetched] = []
        if missing and (usable := [one for one in caches if not offline or _is_local(one)]):
            came = self._edges.store.substitute(list(missing), usable)
            fetched += [
                Fetched(missing.pop(path), "binary-cache", " ".join(map(shown_address, usable)))
                for path in sorted(came)
            ]
        downloaded_bytes = 0
        if missing:
            wanted = [Wanted.of(source) for source in missing.values()]
            places = self._edges.places(wanted, project_dir, offline=offline)
            self._check_there(wanted, places, offline)
            self._check_room(wanted, places)
            work = FetchRun(self._edges, wanted, places, project_dir, offline)
            try:
                self._edges.progress.start(sum(one.size_bytes for one in wanted), len(wanted))
                fetched += work.all(jobs)
            finally:
                self._edges.progress.close()
            downloaded_bytes = work.downloaded_bytes
        return FetchReport(tuple(fetched), reused, downloaded_bytes, time.monotonic() - started_s)

    def _check_there(
        self, wanted: Sequence[Wanted], places: Mapping[str, Sequence[Place]], offline: bool
    ) -> None:
        absent = [one for one in wanted if not places[one.source.store_path]]
        if not absent:
            return
        rows = sorted(
            f"{one.source.subject}  {one.source.file_name}  {one.size_bytes:,} bytes" for one in absent
        )
        if len(rows) > _SHOWN:
            rows = [*rows[:_SHOWN], f"and {len(rows) - _SHOWN} more"]
        total = sum(one.size_bytes for one in absent)
        where = "on this machine" if offline else "in any configured place"
        lost = next((one.source for one in absent if one.source.path), None)
        hint = "run `reprobuild fetch` with the network, or name a binary cache with --cache"
        if not offline:
            hint = "configure an index, wheelhouse, mirror or binary cache that has them"
        if lost is not None:
            hint = f"put {lost.path} back into the project"
        raise SourcesMissingError(
            f"{len(absent)} of {len(wanted)} missing sources ({total:,} bytes) are not {where}",
            details=tuple(rows),
            hint=hint,
        )

    def _check_room(self, wanted: Sequence[Wanted], places: Mapping[str, Sequence[Place]]) -> None:
        """Downloads lie in the cache and go into the store: both need room, in sum if on one disk."""
        loads = sum(one.size_bytes for one in wanted if places[one.source.store_path][0].file is None)
        needs = {self._edges.cache_dir: loads, self._store_dir: sum(one.size_bytes for one in wanted)}
        by_disk: dict[int, tuple[Path, int]] = {}
        for folder, size_bytes in needs.items():
            there = next(path for path in (folder, *folder.parents) if path.exists())
            disk = there.stat().st_dev
            by_disk[disk] = (there, by_disk.get(disk, (there, 0))[1] + size_bytes)
        for folder, size_bytes in by_disk.values():
            free = self._free_bytes(folder)
            if size_bytes + _SPARE_BYTES > free:
                raise DiskFullError(
                    "not enough room for the sources",
                    expected=f"{size_bytes + _SPARE_BYTES:,} bytes free",
                    expected_from="sizes in the lock",
                    actual=f"{free:,} bytes free",
                    actual_from=str(folder),
                    hint="make room, for example with `nix-collect-garbage`",
                )


def _unique(sources: Sequence[Source]) -> dict[str, Source]:
    return {source.store_path: source for source in sources}


def _is_local(cache: str) -> bool:
    return "://" not in cache or cache.startswith("file:")
