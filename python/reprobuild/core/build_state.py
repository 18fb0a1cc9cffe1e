"""What is known of one build while it runs, and of what Nix copies and counts beside it?

Memory is bounded: of a build's log only a running digest and the last lines are kept, of each metric the
last `HISTORY` values.
"""

from __future__ import annotations

import hashlib
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from reprobuild.domain.build_event import LogLine, StageMetrics, WorkerEvent, plain_text

HISTORY = 64  # values kept of each metric: enough for a sparkline
MESSAGES = 200  # errors and warnings kept
NUMERICS = ("torch", "cpu_capability", "threads", "gpu")  # of what a stage says at its end
LINE_CHARS = 2000  # kept of one log line; its digest covers all of it


class BuildStatus(StrEnum):
    PLANNED = "planned"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    BLOCKED = "blocked"  # something it needs failed
    STOPPED = "stopped"  # interrupted, or given up because another build failed


@dataclass(slots=True)
class Metrics:
    """Training progress of one build: the newest values and a short history of each."""

    stage: str = ""
    epoch: int = 0  # 0: these metrics are not of an epoch
    epochs: int = 0  # 0: not known
    values: dict[str, float] = field(default_factory=dict)
    history: dict[str, deque[float]] = field(default_factory=dict)


@dataclass(slots=True)
class Steps:
    """A counter that a builder runs through Nix's protocol, such as epochs, or batches within one."""

    text: str
    done: int = 0
    expected: int = 0


@dataclass(slots=True)
class Download:
    """A copy or transfer under way; `expected_bytes` is 0 until known."""

    kind: int  # COPY_PATH (unpacked bytes) or FILE_TRANSFER (bytes on the wire)
    text: str
    subject: str  # store path or address
    done_bytes: int = 0
    expected_bytes: int = 0


@dataclass(frozen=True, slots=True)
class DownloadTotals:
    done_bytes: int
    expected_bytes: int  # what is known so far
    running: int
    finished: int


@dataclass(slots=True)
class Counters:
    """Sums over activities of one kind, as Nix counts them."""

    done: int = 0
    expected: int = 0
    running: int = 0
    failed: int = 0


class BuildState:
    """One derivation. Times are on the clock that `apply` is given."""

    __slots__ = (
        "_hash",
        "drv_path",
        "finished_s",
        "hardware",
        "host",
        "label",
        "last_lines",
        "log_lines",
        "machine",
        "metrics",
        "name",
        "phase",
        "reason",
        "resources",
        "started_s",
        "status",
        "steps",
        "worker_events",
    )

    def __init__(self, drv_path: str, label: str, keep_lines: int) -> None:
        self.drv_path = drv_path
        self.name = drv_name(drv_path)
        self.label = label  # "" where the caller gave none
        self.status = BuildStatus.PLANNED
        self.reason = ""  # why it failed, in Nix's words
        self.machine = ""
        self.phase = ""
        self.started_s: float | None = None
        self.finished_s: float | None = None
        self.last_lines: deque[str] = deque(maxlen=keep_lines)
        self.log_lines = 0
        self.metrics: Metrics | None = None
        self.steps: dict[int, Steps] = {}  # activity -> its counter, outermost first
        self.resources: dict[str, Any] | None = None
        self.host: dict[str, Any] | None = None
        self.hardware: dict[str, Any] | None = None  # a hardware profile, of stages on a GPU
        self.worker_events: deque[WorkerEvent] = deque(maxlen=MESSAGES)
        self._hash = hashlib.sha256()

    @property
    def log_digest(self) -> str:
        """Hex SHA-256 over all log lines as Nix handed them on, `@reprobuild` lines too, each + newline.

        Not the digest of Nix's log file, which also holds `@nix` lines and carriage returns.
        """
        return self._hash.hexdigest()

    @property
    def numerics(self) -> dict[str, Any] | None:
        """What computed: torch's version, its kernels, threads and GPU, as far as the stage used them."""
        return {key: (self.resources or {})[key] for key in NUMERICS if key in (self.resources or {})} or None

    def elapsed_s(self, now_s: float) -> float:
        if self.started_s is None:
            return 0.0
        return max(0.0, (now_s if self.finished_s is None else self.finished_s) - self.started_s)

    def hear(self, line: LogLine) -> None:
        self._hash.update(line.text.encode("utf-8", "surrogatepass") + b"\n")
        self.log_lines += 1
        if not line.structured:
            self.last_lines.append(plain_text(line.text)[:LINE_CHARS])

    def measure(self, event: StageMetrics) -> None:
        metrics = self.metrics or Metrics()
        metrics.stage = event.stage
        metrics.epoch = event.epoch or metrics.epoch
        metrics.epochs = event.epochs or metrics.epochs
        for name, value in event.values.items():
            metrics.values[name] = value
            metrics.history.setdefault(name, deque(maxlen=HISTORY)).append(value)
        self.metrics = metrics


def drv_name(drv_path: str) -> str:
    """`/nix/store/<hash>-digits-train.drv` -> `digits-train`."""
    name = drv_path.rsplit("/", 1)[-1].removesuffix(".drv")
    return name[33:] if len(name) > 33 and name[32] == "-" else name
