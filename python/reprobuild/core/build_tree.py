"""Where does a running build stand? A reducer over build events; no I/O, no clock of its own.

The live view draws it, the build service writes its record from it.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping

from reprobuild.core.build_state import (
    MESSAGES,
    BuildState,
    BuildStatus,
    Counters,
    Download,
    DownloadTotals,
    Steps,
)
from reprobuild.domain.build_event import (
    ActivityKind,
    ActivityStarted,
    ActivityStopped,
    BuildStarted,
    BuildStopped,
    Event,
    Expected,
    Level,
    LogLine,
    Message,
    PhaseSet,
    Progress,
    StageHardware,
    StageHost,
    StageMetrics,
    StageResources,
    WorkerEvent,
)

_BYTES: tuple[int, ...] = (ActivityKind.COPY_PATH, ActivityKind.FILE_TRANSFER)  # kinds that count bytes
# Nix's words from 2.8 to 2.34, as in tests/golden/nix-log
# "build of 'A', 'B' failed" may mean any of them
_SUMMARY = re.compile(r"(error: )?(build of|some outputs of|path) ")
_DEPENDENCY = re.compile(r"dependenc(?:y|ies) (?:of derivation .* )?failed", re.DOTALL)
_FAILURE = re.compile(
    r"failed|timed out|mismatch|Cannot build|may not be deterministic"
    r"|is required to build|not allowed to refer"
)
_DRV_PATH = re.compile(r"/[^\s'\"]*?/[0-9a-z]{32}-[^\s'\"^*]+\.drv")


class BuildTree:
    """All builds of one Nix command.

    Args:
        planned: derivations that are going to be built, in the order to show them.
        labels: drv path -> short name, for those worth a line of their own.
        keep_lines: how many of its last log lines a build keeps.
    """

    def __init__(
        self, planned: Iterable[str] = (), labels: Mapping[str, str] | None = None, keep_lines: int = 10
    ) -> None:
        self._labels = dict(labels or {})
        self._keep_lines = keep_lines
        self.builds: dict[str, BuildState] = {}
        self.errors: deque[Message] = deque(maxlen=MESSAGES)
        self.warnings: deque[Message] = deque(maxlen=MESSAGES)
        self.downloads: dict[int, Download] = {}
        self._finished_bytes = dict.fromkeys(_BYTES, 0)
        self._finished_downloads = dict.fromkeys(_BYTES, 0)
        self._counters: dict[int, tuple[int, Counters]] = {}  # activity -> kind, its counters
        self._expected: dict[tuple[int, int], int] = {}  # (activity, of kind) -> amount
        self._closed = {BuildStatus.DONE: 0, BuildStatus.FAILED: 0}  # stops explained by Nix's counters
        for drv_path in planned:
            self.build(drv_path)

    def build(self, drv_path: str) -> BuildState:
        """The state of a derivation, made when first asked for."""
        if (state := self.builds.get(drv_path)) is None:
            state = BuildState(drv_path, self._labels.get(drv_path, ""), self._keep_lines)
            self.builds[drv_path] = state
        return state

    def with_status(self, *statuses: BuildStatus) -> list[BuildState]:
        return [state for state in list(self.builds.values()) if state.status in statuses]

    def counters(self, kind: int = ActivityKind.BUILDS) -> Counters:
        total = Counters()
        for of_kind, one in list(self._counters.values()):
            if of_kind == kind:
                total.done += one.done
                total.expected += one.expected
                total.running += one.running
                total.failed += one.failed
        return total

    def download_totals(self) -> DownloadTotals:
        """Copies into the store; transfers only where there are no copies, as each copy may do one."""
        under_way = list(self.downloads.values())
        copying = self._finished_downloads[ActivityKind.COPY_PATH] or any(
            one.kind == ActivityKind.COPY_PATH for one in under_way
        )
        kind = ActivityKind.COPY_PATH if copying else ActivityKind.FILE_TRANSFER
        running = [one for one in under_way if one.kind == kind]
        finished_bytes = self._finished_bytes[kind]
        known = finished_bytes + sum(max(one.done_bytes, one.expected_bytes) for one in running)
        announced = sum(amount for (_, of_kind), amount in list(self._expected.items()) if of_kind == kind)
        return DownloadTotals(
            done_bytes=finished_bytes + sum(one.done_bytes for one in running),
            expected_bytes=max(known, announced),
            running=len(running),
            finished=self._finished_downloads[kind],
        )

    def apply(self, event: Event, now_s: float) -> None:
        """Take in one event. Events about unknown activities change nothing."""
        match event:
            case LogLine() if event.drv_path:
                self.build(event.drv_path).hear(event)
            case Progress():
                self._progress(event)
            case BuildStarted():
                self._started(event, now_s)
            case BuildStopped():
                self._stopped(event, now_s)
            case PhaseSet() if event.drv_path:
                self.build(event.drv_path).phase = event.phase
            case StageMetrics() if event.drv_path:
                self.build(event.drv_path).measure(event)
            case StageResources() if event.drv_path:
                self.build(event.drv_path).resources = dict(event.fields)
            case StageHost() if event.drv_path:
                self.build(event.drv_path).host = dict(event.fields)
            case StageHardware() if event.drv_path:
                self.build(event.drv_path).hardware = dict(event.fields)
            case WorkerEvent() if event.drv_path:
                self.build(event.drv_path).worker_events.append(event)
            case ActivityStarted():
                self._activity_started(event)
            case ActivityStopped():
                self._activity_stopped(event)
            case Expected():
                self._expected[event.activity_id, event.of_kind] = event.amount
            case Message():
                self._message(event, now_s)

    def finish(self, now_s: float, *, succeeded: bool) -> None:
        """The command ended: what still runs was stopped, or done if all went well."""
        for state in self.with_status(BuildStatus.RUNNING):
            self._close(state, BuildStatus.DONE if succeeded else BuildStatus.STOPPED, now_s)

    def _started(self, event: BuildStarted, now_s: float) -> None:
        state = self.build(event.drv_path)
        if event.machine or state.status is not BuildStatus.RUNNING:
            # sent by Nix itself, a build starts twice: here with its machine, then on that machine
            state.machine = event.machine
        state.status = BuildStatus.RUNNING
        state.started_s, state.finished_s = now_s, None

    def _stopped(self, event: BuildStopped, now_s: float) -> None:
        state = self.build(event.drv_path)
        if state.status is not BuildStatus.RUNNING:
            return  # an error message was first
        # the counters move before the stop: what they count and no stop has used yet is this one's
        counted = self.counters()
        if counted.failed > self._closed[BuildStatus.FAILED]:
            status = BuildStatus.FAILED
        elif counted.done > self._closed[BuildStatus.DONE] or not (counted.expected or counted.done):
            status = BuildStatus.DONE
        else:
            status = BuildStatus.STOPPED
        self._close(state, status, now_s)

    def _close(self, state: BuildState, status: BuildStatus, now_s: float) -> None:
        state.status = status
        state.steps.clear()
        state.finished_s = now_s if state.started_s is not None else None
        if status in self._closed:
            self._closed[status] += 1

    def _message(self, event: Message, now_s: float) -> None:
        if event.level == Level.WARN:
            self.warnings.append(event)
        if event.level != Level.ERROR:
            return
        self.errors.append(event)
        drv_path, status = failed_build(event.text) or (self._timed_out(event.text), BuildStatus.FAILED)
        if not drv_path:
            return
        state = self.build(drv_path)
        if status is BuildStatus.BLOCKED and state.status is not BuildStatus.PLANNED:
            return
        if status is not state.status:
            self._close(state, status, now_s if state.finished_s is None else state.finished_s)
        state.reason = event.text

    def _timed_out(self, message: str) -> str:
        """Newer Nix says "timed out after 60 seconds" and not which: it is clear if only one can be meant."""
        if "timed out" not in message:
            return ""
        unexplained = [state for state in self.with_status(BuildStatus.FAILED) if not state.reason]
        meant = unexplained or self.with_status(BuildStatus.RUNNING)
        return meant[0].drv_path if len(meant) == 1 else ""

    def _progress(self, event: Progress) -> None:
        if (download := self.downloads.get(event.activity_id)) is not None:
            download.done_bytes, download.expected_bytes = event.done, event.expected
        elif event.kind in (ActivityKind.BUILDS, ActivityKind.COPY_PATHS):
            counters = Counters(event.done, event.expected, event.running, event.failed)
            self._counters[event.activity_id] = (event.kind, counters)
        elif (
            event.drv_path and (steps := self.build(event.drv_path).steps.get(event.activity_id)) is not None
        ):
            steps.done, steps.expected = event.done, event.expected

    def _activity_started(self, event: ActivityStarted) -> None:
        if event.drv_path and not any("://" in str(item) for item in event.fields):
            self.build(event.drv_path).steps[event.activity_id] = Steps(event.text)
        elif event.kind in _BYTES:
            subject = str(event.fields[0]) if event.fields else ""
            self.downloads[event.activity_id] = Download(event.kind, event.text, subject)

    def _activity_stopped(self, event: ActivityStopped) -> None:
        if (download := self.downloads.pop(event.activity_id, None)) is not None:
            self._finished_bytes[download.kind] += download.done_bytes
            self._finished_downloads[download.kind] += 1
        elif event.drv_path and event.drv_path in self.builds:
            self.builds[event.drv_path].steps.pop(event.activity_id, None)
        for key in [key for key in self._expected if key[0] == event.activity_id]:
            del self._expected[key]


def failed_build(message: str) -> tuple[str, BuildStatus] | None:
    """Which derivation an error message of Nix is about, and whether itself or something it needs failed."""
    found = _DRV_PATH.search(message)
    if found is None or _SUMMARY.match(message):
        return None
    if _DEPENDENCY.search(message):
        return found[0], BuildStatus.BLOCKED
    return (found[0], BuildStatus.FAILED) if _FAILURE.search(message) else None
