"""Fill the fixed-output paths of a lock's sources by content, from wherever the bytes can be had.

Every file is checked against the lock before the store gets it; where it came from does not matter.
"""

from __future__ import annotations

import os
import queue
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from reprobuild.domain.lock import Source
from reprobuild.domain.store_path import STORE_DIR, store_name
from reprobuild.errors import (
    ContentMismatchError,
    DiskFullError,
    NetworkError,
    ReprobuildError,
    SourcesMissingError,
)
from reprobuild.ports import ByteProgress, HttpClient, SourceStore, WheelLocator
from reprobuild.services.fetch_files import FetchStopped, check_file, mismatch, part_of, sha256_of
from reprobuild.services.fetch_places import Addresses, Place, PlaceKind, Wanted, cached_file, find_places

_PATIENCE_S = 1.0  # after an interrupt, for threads to put down what they hold
_POLL_S = 0.1
_SHOWN = 40
_SPARE_BYTES = 64 << 20


@dataclass(frozen=True)
class Planned:
    """Where one source would come from."""

    source: Source
    origin: Literal["store", "nowhere"] | PlaceKind
    label: str = ""  # file or address, without secrets

    @property
    def download_bytes(self) -> int:
        return (
            0
            if self.origin in ("store", "nowhere") or not self.label.startswith("http")
            else self.source.size_bytes
        )


@dataclass(frozen=True)
class FetchPlan:
    items: tuple[Planned, ...]
    caches: tuple[str, ...]  # binary caches that are asked before everything else

    @property
    def download_bytes(self) -> int:
        return sum(item.download_bytes for item in self.items)

    @property
    def to_fetch(self) -> tuple[Planned, ...]:
        """What is not in the store yet."""
        return tuple(item for item in self.items if item.origin != "store")

    @property
    def nowhere(self) -> tuple[Source, ...]:
        return tuple(item.source for item in self.items if item.origin == "nowhere")


@dataclass(frozen=True)
class Fetched:
    source: Source
    origin: Literal["binary-cache"] | PlaceKind
    label: str


@dataclass(frozen=True)
class FetchReport:
    fetched: tuple[Fetched, ...]
    reused: tuple[Source, ...]  # were in the store
    downloaded_bytes: int  # over the network, by us
    seconds: float

    @property
    def size_bytes(self) -> int:
        """Of everything that came into the store."""
        return sum(one.source.size_bytes for one in self.fetched)


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
        self._store = store
        self._http = http
        self._locator = locator
        self._debian_addresses = debian_addresses
        self._data_addresses = data_addresses
        self._unpack_seed = unpack_seed
        self._progress = progress
        self._cache_dir = cache_dir
        self._store_dir = store_dir
        self._free_bytes = free_bytes

    def plan(self, sources: Sequence[Source], project_dir: Path, caches: Sequence[str] = ()) -> FetchPlan:
        """Where everything would come from; fetches nothing. Binary caches are not asked what they have."""
        every = _unique(sources)
        present = self._store.present(list(every))
        missing = [Wanted.of(source) for path, source in every.items() if path not in present]
        try:
            places = self._places(missing, project_dir, offline=False)
        except NetworkError:
            places = self._places(missing, project_dir, offline=True)
        items = []
        for path, source in every.items():
            first = next(iter(places.get(path, ())), None)
            if path in present:
                items.append(Planned(source, "store", path))
            elif first is None:
                items.append(Planned(source, "nowhere"))
            else:
                items.append(Planned(source, first.kind, first.label))
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
        present = self._store.present(list(every))
        reused = tuple(source for path, source in every.items() if path in present)
        missing = {path: source for path, source in every.items() if path not in present}
        fetched: list[Fetched] = []
        if missing and (usable := [one for one in caches if not offline or _is_local(one)]):
            came = self._store.substitute(list(missing), usable)
            fetched += [Fetched(missing.pop(path), "binary-cache", " ".join(usable)) for path in sorted(came)]
        downloaded_bytes = 0
        if missing:
            wanted = [Wanted.of(source) for source in missing.values()]
            places = self._places(wanted, project_dir, offline=offline)
            self._check_there(wanted, places, offline)
            self._check_room(wanted, places)
            work = _Run(self, wanted, places, project_dir, offline)
            try:
                self._progress.start(sum(one.size_bytes for one in wanted), len(wanted))
                fetched += work.all(jobs)
            finally:
                self._progress.close()
            downloaded_bytes = work.downloaded_bytes
        return FetchReport(tuple(fetched), reused, downloaded_bytes, time.monotonic() - started_s)

    def _places(
        self, wanted: Sequence[Wanted], project_dir: Path, *, offline: bool, fresh: bool = False
    ) -> dict[str, tuple[Place, ...]]:
        return find_places(
            wanted,
            project_dir=project_dir,
            cache_dir=self._cache_dir,
            locator=self._locator,
            debian_addresses=self._debian_addresses,
            data_addresses=self._data_addresses,
            offline=offline,
            fresh=fresh,
        )

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
        needs = {self._cache_dir: loads, self._store_dir: sum(one.size_bytes for one in wanted)}
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


class _Run:
    """One fetch: a few threads, a queue of files, and what came of each."""

    def __init__(
        self,
        service: FetchService,
        wanted: Sequence[Wanted],
        places: Mapping[str, tuple[Place, ...]],
        project_dir: Path,
        offline: bool,
    ) -> None:
        self._of = service
        # big files first: the last one to finish decides
        self._wanted = sorted(wanted, key=lambda one: -one.size_bytes)
        self._places = places
        self._project_dir = project_dir
        self._offline = offline
        self._stop = threading.Event()
        self._cpu = threading.Semaphore(os.cpu_count() or 1)  # hashing and adding take a core each
        self._counting = threading.Lock()
        self.downloaded_bytes = 0

    def all(self, jobs: int) -> list[Fetched]:
        todo: queue.SimpleQueue[Wanted] = queue.SimpleQueue()
        for one in self._wanted:
            todo.put(one)
        done: queue.SimpleQueue[Fetched | BaseException] = queue.SimpleQueue()
        # daemon threads: an interrupt need not wait for a slow server
        threads = [
            threading.Thread(target=self._work, args=(todo, done), daemon=True)
            for _ in range(min(max(jobs, 1), len(self._wanted)))
        ]
        for thread in threads:
            thread.start()
        fetched: list[Fetched] = []
        errors: list[ReprobuildError] = []
        try:
            while len(fetched) + len(errors) < len(self._wanted):
                try:
                    # with a time limit: a wait without one may not notice an interrupt
                    outcome = done.get(timeout=_POLL_S)
                except queue.Empty:
                    continue
                match outcome:
                    case Fetched() as came:
                        fetched.append(came)
                    case ReprobuildError() as error:
                        errors.append(error)
                    case bug:
                        raise bug
        finally:
            self._stop.set()
            ends_s = time.monotonic() + _PATIENCE_S
            for thread in threads:
                thread.join(max(0.0, ends_s - time.monotonic()))
        if errors:
            raise _one_error(errors)
        return sorted(fetched, key=lambda one: one.source.store_path)

    def _work(
        self, todo: queue.SimpleQueue[Wanted], done: queue.SimpleQueue[Fetched | BaseException]
    ) -> None:
        while not self._stop.is_set():
            try:
                one = todo.get_nowait()
            except queue.Empty:
                return
            try:
                done.put(self._one(one))
            except FetchStopped:
                return
            except BaseException as error:
                done.put(error)

    def _one(self, one: Wanted) -> Fetched:
        """Try places in order, note what was wrong with each; at last ask the indexes again."""
        wrong: list[ReprobuildError] = []
        tried: set[Place] = set()
        for fresh in (False, True):
            for place in self._places[one.source.store_path] if not fresh else self._fresh(one):
                if place in tried:
                    continue
                tried.add(place)
                try:
                    self._from(place, one)
                except (ContentMismatchError, NetworkError) as error:
                    wrong.append(error)
                    self._of._progress.note(f"{one.source.subject}: {_reason(error)}")
                    continue
                self._of._progress.finish(one.file_name)
                return Fetched(one.source, place.kind, place.label)
        raise _exhausted(one, wrong)

    def _fresh(self, one: Wanted) -> tuple[Place, ...]:
        if self._offline or one.source.kind not in ("wheel", "tool"):
            return ()
        with self._counting:  # one question at a time
            try:
                found = self._of._places([one], self._project_dir, offline=False, fresh=True)
            except NetworkError:
                return ()
        return found[one.source.store_path]

    def _from(self, place: Place, one: Wanted) -> None:
        if place.file is not None:
            with self._cpu:
                counted = _Counted(self._of._progress, one.file_name, self._stop)
                try:
                    check_file(place.file, one, place, counted.advance)
                except ReprobuildError:
                    counted.take_back()
                    if place.kind == "download-cache":
                        place.file.unlink(missing_ok=True)
                    raise
                self._add(place.file, one)
            return
        file = self._downloaded(place, one)
        with self._cpu:
            self._add(file, one)

    def _downloaded(self, place: Place, one: Wanted) -> Path:
        """Download into the cache: `HEX.part` while it grows, under its name once it is checked."""
        target = cached_file(self._of._cache_dir, one)
        with part_of(target, self._stop) as part:
            if target.is_file() and sha256_of(target, lambda _: None) == one.digest:
                return target  # another reprobuild was quicker
            before = part.stat().st_size
            for _ in range(2):
                counted = _Counted(self._of._progress, one.file_name, self._stop)
                try:
                    digest = self._of._http.download(
                        place.url, part, expected_bytes=one.size_bytes, advance=counted.advance
                    )
                except NetworkError:
                    counted.take_back()
                    raise
                finally:
                    with self._counting:
                        self.downloaded_bytes += max(counted.size_bytes - before, 0)
                if digest == one.digest and part.stat().st_size == one.size_bytes:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    part.replace(target)
                    return target
                size_bytes = part.stat().st_size
                counted.take_back()
                with part.open("wb"):  # refused bytes must not be resumed
                    pass
                if not before:
                    break
                before = 0  # the beginning may have been another place's: once more, all of it
            part.unlink()
        raise mismatch(one, place, digest, size_bytes)

    def _add(self, file: Path, one: Wanted) -> None:
        if self._stop.is_set():
            raise FetchStopped
        source = one.source
        with self._staging() as folder:
            if source.kind == "seed":
                self._of._store.add_fixed(self._of._unpack_seed(file, folder), source)
            elif file.name == store_name(source.file_name):
                self._of._store.add_fixed(file, source)
            else:
                named = folder / store_name(source.file_name)
                try:
                    os.link(file, named)  # Nix would take a symbolic link for the content
                except OSError:
                    shutil.copyfile(file, named)
                self._of._store.add_fixed(named, source)

    @contextmanager
    def _staging(self) -> Iterator[Path]:
        self._of._cache_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="staging-", dir=self._of._cache_dir) as folder:
            yield Path(folder)


class _Counted:
    """Bytes of one try, told to the progress, so that a failed try can be taken back."""

    def __init__(self, progress: ByteProgress, name: str, stop: threading.Event) -> None:
        self._progress, self._name, self._stop = progress, name, stop
        self.size_bytes = 0

    def advance(self, size_bytes: int) -> None:
        if self._stop.is_set():
            raise FetchStopped
        self.size_bytes += size_bytes
        self._progress.advance(self._name, size_bytes)

    def take_back(self) -> None:
        if self.size_bytes:
            self._progress.advance(self._name, -self.size_bytes)


def _exhausted(one: Wanted, wrong: Sequence[ReprobuildError]) -> ReprobuildError:
    """All places failed: other bytes count more than no answer."""
    worst = next((error for error in wrong if isinstance(error, ContentMismatchError)), wrong[0])
    if len(wrong) == 1 and isinstance(worst, ContentMismatchError):
        return worst
    rows = tuple(_reason(error) for error in wrong)
    if isinstance(worst, ContentMismatchError):
        return ContentMismatchError(
            worst.message,
            expected=worst.expected,
            expected_from=worst.expected_from,
            actual=worst.actual,
            actual_from=worst.actual_from,
            details=rows,
            hint=worst.hint,
        )
    return NetworkError(f"{one.source.subject}: no place gave {one.file_name}", details=rows, hint=worst.hint)


def _reason(error: ReprobuildError) -> str:
    if isinstance(error, ContentMismatchError):
        return f"{error.actual_from}: other content, {error.actual}"
    return error.message


def _one_error(errors: Sequence[ReprobuildError]) -> ReprobuildError:
    """The worst of several, the others in its details."""
    ordered = sorted(errors, key=lambda error: (not isinstance(error, ContentMismatchError), error.message))
    first = ordered[0]
    first.details = (*first.details, *(f"also: {error.message}" for error in ordered[1:_SHOWN]))
    return first


def _unique(sources: Sequence[Source]) -> dict[str, Source]:
    return {source.store_path: source for source in sources}


def _is_local(cache: str) -> bool:
    return cache.startswith(("file:", "/"))
