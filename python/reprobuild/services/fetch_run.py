"""Bring files into the store, several at once: try places, check bytes, add."""

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

from reprobuild.domain.store_path import store_name
from reprobuild.errors import ContentMismatchError, NetworkError, ReprobuildError
from reprobuild.ports import ByteProgress, HttpClient, SourceStore, WheelLocator
from reprobuild.services.fetch_files import FetchStopped, check_file, mismatch, part_of, sha256_of
from reprobuild.services.fetch_places import Addresses, Place, Wanted, cached_file, find_places
from reprobuild.services.fetch_report import Fetched

_PATIENCE_S = 1.0  # after an interrupt, for threads to put down what they hold
_POLL_S = 0.1
_SHOWN = 40


@dataclass(frozen=True)
class Edges:
    """Everything outside that a fetch touches; arguments as in FetchService."""

    store: SourceStore
    http: HttpClient
    locator: WheelLocator
    debian_addresses: Addresses
    data_addresses: Addresses
    unpack_seed: Callable[[Path, Path], Path]
    progress: ByteProgress
    cache_dir: Path

    def places(
        self, wanted: Sequence[Wanted], project_dir: Path, *, offline: bool, fresh: bool = False
    ) -> dict[str, tuple[Place, ...]]:
        return find_places(
            wanted,
            project_dir=project_dir,
            cache_dir=self.cache_dir,
            locator=self.locator,
            debian_addresses=self.debian_addresses,
            data_addresses=self.data_addresses,
            offline=offline,
            fresh=fresh,
        )


class FetchRun:
    """One fetch: a few threads, a queue of files, and what came of each."""

    def __init__(
        self,
        edges: Edges,
        wanted: Sequence[Wanted],
        places: Mapping[str, tuple[Place, ...]],
        project_dir: Path,
        offline: bool,
    ) -> None:
        self._edges = edges
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
                    self._edges.progress.note(f"{one.source.subject}: {_reason(error)}")
                    continue
                self._edges.progress.finish(one.file_name)
                return Fetched(one.source, place.kind, place.label)
        raise _exhausted(one, wrong)

    def _fresh(self, one: Wanted) -> tuple[Place, ...]:
        if self._offline or one.source.kind not in ("wheel", "tool"):
            return ()
        with self._counting:  # one question at a time
            try:
                found = self._edges.places([one], self._project_dir, offline=False, fresh=True)
            except NetworkError:
                return ()
        return found[one.source.store_path]

    def _from(self, place: Place, one: Wanted) -> None:
        if place.file is not None:
            with self._cpu:
                counted = _Counted(self._edges.progress, one.file_name, self._stop)
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
        target = cached_file(self._edges.cache_dir, one)
        with part_of(target, self._stop) as part:
            if target.is_file() and sha256_of(target, lambda _: None) == one.digest:
                return target  # another reprobuild was quicker
            before = part.stat().st_size
            for _ in range(2):
                counted = _Counted(self._edges.progress, one.file_name, self._stop)
                try:
                    digest = self._edges.http.download(
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
        file = file.resolve()  # Nix would take a symbolic link for the content
        with self._staging() as folder:
            if source.kind == "seed":
                self._edges.store.add_fixed(self._edges.unpack_seed(file, folder), source)
            elif file.name == store_name(source.file_name):
                self._edges.store.add_fixed(file, source)
            else:
                named = folder / store_name(source.file_name)
                try:
                    os.link(file, named)
                except OSError:
                    shutil.copyfile(file, named)
                self._edges.store.add_fixed(named, source)

    @contextmanager
    def _staging(self) -> Iterator[Path]:
        self._edges.cache_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="staging-", dir=self._edges.cache_dir) as folder:
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
