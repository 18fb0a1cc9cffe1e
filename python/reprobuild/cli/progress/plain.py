"""Quiet lines for pipes and CI: one per start, end and epoch; logs in foldable sections where CI has them."""

from __future__ import annotations

import re
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from enum import Enum
from types import TracebackType
from typing import Self, TextIO

from reprobuild.cli.progress.layout import duration, number, size
from reprobuild.core.build_state import BuildState, BuildStatus
from reprobuild.core.build_tree import BuildTree
from reprobuild.domain.build_event import (
    BuildStarted,
    BuildStopped,
    Event,
    Level,
    LogLine,
    Message,
    StageMetrics,
    plain_text,
)

FOLDED_LINES = 500  # of a build's log in a section; the rest is in Nix's log
_EPOCH_LINES = 100  # at most about so many lines for one training
_FETCH_LINE_S = 2.0  # at least so long between two lines about transfers


class Foldable(Enum):
    """Whose sections to write."""

    NO = ""
    GITHUB = "github"
    GITLAB = "gitlab"

    @classmethod
    def of(cls, env: Mapping[str, str]) -> Foldable:
        if env.get("GITHUB_ACTIONS") == "true":
            return cls.GITHUB
        return cls.GITLAB if env.get("GITLAB_CI") == "true" else cls.NO


class PlainRenderer:
    def __init__(
        self,
        stream: TextIO,
        foldable: Foldable,
        *,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
    ) -> None:
        self._out = _Lines(stream, foldable, wall_clock)
        self._clock = clock

    def build_view(self, groups: Mapping[str, str] | None = None) -> PlainBuild:
        return PlainBuild(self._out, groups or {})

    def fetch_progress(self, title: str = "fetch") -> PlainFetch:
        return PlainFetch(self._out, title, self._clock)


class PlainBuild:
    def __init__(self, out: _Lines, groups: Mapping[str, str]) -> None:
        self._out = out
        self._groups = groups
        self._logs: dict[str, deque[str]] = defaultdict(lambda: deque(maxlen=FOLDED_LINES))
        self._finished = False

    def start(self, tree: BuildTree, now_s: float) -> None:
        planned = tree.with_status(BuildStatus.PLANNED)
        named = [state.label for state in planned if state.label]
        if planned:
            rest = len(planned) - len(named)
            others = [f"{rest} for the environment"] if rest else []
            self._out.line(f"building {len(planned)} derivations: {', '.join(others + named)}")

    def event(self, event: Event, tree: BuildTree, now_s: float) -> None:
        match event:
            case LogLine() if self._out.folds and not event.structured:
                self._logs[event.drv_path].append(plain_text(event.text))
            case BuildStarted():
                state = tree.build(event.drv_path)
                on = f" on {event.machine}" if event.machine else ""
                if state.label:
                    self._out.line(f"{state.label}: started{on}")
            case BuildStopped():
                self._ended(tree.build(event.drv_path), tree, now_s)
            case StageMetrics():
                self._epoch(event, tree)
            case Message() if event.level == Level.WARN:
                self._out.line(event.text)

    def finish(self, tree: BuildTree, now_s: float) -> None:
        if self._finished:
            return
        self._finished = True
        for drv_path in list(self._logs):  # those without a stop: the command was cut off
            self._ended(tree.build(drv_path), tree, now_s)
        words = [
            f"{len(found)} {status.value}" for status in BuildStatus if (found := tree.with_status(status))
        ]
        if words:
            self._out.line(f"builds: {', '.join(words)}")

    def _ended(self, state: BuildState, tree: BuildTree, now_s: float) -> None:
        log = self._logs.pop(state.drv_path, None)
        took = f" after {duration(state.elapsed_s(now_s))}" if state.started_s is not None else ""
        title = f"{state.label or state.name}: {state.status.value}{took}"
        if not state.label and state.status is BuildStatus.DONE:
            title = f"{state.name}: {state.status.value}{took}{self._count(state, tree)}"
        if log:
            self._out.section(
                title, [*([f"last {FOLDED_LINES} lines"] if len(log) == FOLDED_LINES else []), *log]
            )
        else:
            self._out.line(title)

    def _count(self, state: BuildState, tree: BuildTree) -> str:
        if (kind := self._groups.get(state.drv_path)) is None:
            return ""
        alike = [one for one in tree.builds.values() if self._groups.get(one.drv_path) == kind]
        done = sum(one.status is BuildStatus.DONE for one in alike)
        return f" ({done}/{len(alike)} {kind})"

    def _epoch(self, event: StageMetrics, tree: BuildTree) -> None:
        stride = max(1, event.epochs // _EPOCH_LINES)
        if event.epoch % stride and event.epoch not in (1, event.epochs):
            return
        label = tree.build(event.drv_path).label if event.drv_path else ""
        of = f"/{event.epochs}" if event.epochs else ""
        words = [f"epoch {event.epoch}{of}"] if event.epoch else []
        words += [f"{plain_text(name)}={number(value)}" for name, value in event.values.items()]
        if words:
            self._out.line(f"{label or plain_text(event.stage)}: {' '.join(words)}")


class PlainFetch:
    """Counts what has come; a line when a file is complete, but not more often than every two seconds."""

    def __init__(self, out: _Lines, title: str, clock: Callable[[], float]) -> None:
        self._out, self._title, self._clock = out, title, clock
        self._lock = threading.Lock()
        self._total_bytes = self._total_files = self._done_bytes = self._done_files = 0
        self._last_line_s = self._started_s = clock()
        self._closed = False

    def start(self, total_bytes: int, total_files: int) -> None:
        with self._lock:
            self._total_bytes, self._total_files = total_bytes, total_files
            if total_files:
                self._out.line(f"{self._title}: {total_files} files, {size(total_bytes)}")

    def advance(self, name: str, size_bytes: int) -> None:
        with self._lock:
            self._done_bytes += size_bytes
            self._say_sometimes()

    def finish(self, name: str) -> None:
        with self._lock:
            self._done_files += 1
            self._say_sometimes()

    def note(self, text: str) -> None:
        self._out.line(plain_text(text))

    def close(self) -> None:
        with self._lock:
            if self._closed or not self._total_files:
                return
            self._closed = True
            self._out.line(f"{self._state()} in {duration(self._clock() - self._started_s)}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _say_sometimes(self) -> None:
        if (now_s := self._clock()) - self._last_line_s >= _FETCH_LINE_S:
            self._last_line_s = now_s
            self._out.line(self._state())

    def _state(self) -> str:
        amount = f"{size(self._done_bytes)} of {size(self._total_bytes)}"
        return f"{self._title}: {self._done_files}/{self._total_files} files, {amount}"


class SilentRenderer:
    """For `--quiet`: errors are the caller's to print."""

    def build_view(self, groups: Mapping[str, str] | None = None) -> SilentBuild:
        return SilentBuild()

    def fetch_progress(self, title: str = "fetch") -> SilentFetch:
        return SilentFetch()


class SilentBuild:
    def start(self, tree: BuildTree, now_s: float) -> None: ...
    def event(self, event: Event, tree: BuildTree, now_s: float) -> None: ...
    def finish(self, tree: BuildTree, now_s: float) -> None: ...


class SilentFetch:
    def start(self, total_bytes: int, total_files: int) -> None: ...
    def advance(self, name: str, size_bytes: int) -> None: ...
    def finish(self, name: str) -> None: ...
    def note(self, text: str) -> None: ...
    def close(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class _Lines:
    """Writes whole lines, and sections in the CI system's own way."""

    def __init__(self, stream: TextIO, foldable: Foldable, wall_clock: Callable[[], float]) -> None:
        self._stream, self._foldable, self._wall_clock = stream, foldable, wall_clock
        self._lock = threading.Lock()
        self._sections = 0

    @property
    def folds(self) -> bool:
        return self._foldable is not Foldable.NO

    def line(self, text: str) -> None:
        self._write([self._safe(text)])

    def section(self, title: str, lines: list[str]) -> None:
        # "| " keeps a builder's output from being read as a workflow command
        body = [f"| {self._safe(line)}" for line in lines]
        if self._foldable is Foldable.GITHUB:
            self._write([f"::group::{self._safe(title)}", *body, "::endgroup::"])
        elif self._foldable is Foldable.GITLAB:
            self._sections += 1
            name, at_s = f"reprobuild_{self._sections}", int(self._wall_clock())
            start = f"\x1b[0Ksection_start:{at_s}:{name}[collapsed=true]\r\x1b[0K{title}"
            self._write([start, *body, f"\x1b[0Ksection_end:{at_s}:{name}\r\x1b[0K"])
        else:
            self._write([self._safe(title), *body])

    def _safe(self, text: str) -> str:
        if self._foldable is not Foldable.GITHUB:
            return text
        return re.sub(r"^(\s*)::", r"\1: :", text).replace("##[", "## [")

    def _write(self, lines: list[str]) -> None:
        text = "".join(f"{line}\n" for line in lines)
        encoding = self._stream.encoding or "utf-8"
        with self._lock:
            self._stream.write(text.encode(encoding, "replace").decode(encoding))
            self._stream.flush()
