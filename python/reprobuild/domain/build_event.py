"""What can happen while Nix builds: typed events, independent of Nix's log format.

Frozen dataclasses, not pydantic models: a build prints thousands of them and the parser has
already checked them. `drv_path` is "" where the event could not be tied to a build.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

# CSI and OSC sequences, other two-character escapes, then what is left of control characters
_ESCAPES = r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-Z\\-_]?"
_CONTROLS = r"[\x00-\x08\x0b-\x1f\x7f-\x9f]"


def plain_text(text: str) -> str:
    """Drop terminal escapes and control characters; newlines and tabs stay."""
    return re.sub(_CONTROLS, "", re.sub(_ESCAPES, "", text))


class Level(IntEnum):
    """Of Nix's eight the ones that we tell apart; the others stay plain integers. 0 is what nobody may miss."""

    ERROR = 0
    WARN = 1
    INFO = 3


class ActivityKind(IntEnum):
    """Numbers as in Nix's protocol, of the kinds that we tell apart; others are kept as plain integers."""

    UNKNOWN = 0
    COPY_PATH = 100
    FILE_TRANSFER = 101
    COPY_PATHS = 103
    BUILDS = 104
    BUILD = 105


@dataclass(frozen=True, slots=True)
class BuildStarted:
    activity_id: int
    drv_path: str
    machine: str  # "" here, else the builder's address


@dataclass(frozen=True, slots=True)
class BuildStopped:
    """A build ended. Nix does not say how: counters and error messages do (core/build_tree.py)."""

    activity_id: int
    drv_path: str


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line a builder printed, as Nix handed it on: escapes kept, no newline."""

    activity_id: int
    drv_path: str
    text: str
    structured: bool = False  # an `@reprobuild` line; the event it carries follows


@dataclass(frozen=True, slots=True)
class PhaseSet:
    activity_id: int
    drv_path: str
    phase: str


@dataclass(frozen=True, slots=True)
class Progress:
    """Counters of one activity: builds, paths, bytes, or the steps of a training (kind FILE_TRANSFER)."""

    activity_id: int
    kind: int
    drv_path: str  # the build that a step counter belongs to
    done: int
    expected: int
    running: int
    failed: int


@dataclass(frozen=True, slots=True)
class Expected:
    """How much work of `of_kind` an activity foresees: bytes for transfers and copies."""

    activity_id: int
    of_kind: int
    amount: int


@dataclass(frozen=True, slots=True)
class ActivityStarted:
    activity_id: int
    kind: int
    level: int
    text: str
    fields: tuple[str | int, ...]
    parent_id: int  # 0: none, or this Nix does not say
    drv_path: str  # the build whose builder started it (epochs, steps, a builtin download)


@dataclass(frozen=True, slots=True)
class ActivityStopped:
    activity_id: int
    kind: int
    drv_path: str


@dataclass(frozen=True, slots=True)
class ActivityResult:
    """A result without a type of its own here; kept so that nothing is lost."""

    activity_id: int
    result_type: int
    fields: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Message:
    level: int
    text: str  # without escapes; may have several lines


@dataclass(frozen=True, slots=True)
class StageMetrics:
    """Metrics after an epoch (`epoch` counts from 1), or of the stage as a whole (`epoch` and `epochs` 0)."""

    activity_id: int
    drv_path: str
    stage: str
    epoch: int
    epochs: int
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class StageResources:
    """What a stage used: wall_s, cpu_s, peak_memory_bytes and whatever else the worker measured."""

    activity_id: int
    drv_path: str
    stage: str
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StageHost:
    """What a stage saw of the machine that it ran on."""

    activity_id: int
    drv_path: str
    stage: str
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StageHardware:
    """The hardware profile that a stage on a GPU measured before its training (docs/formats/hardware-profile.md)."""

    activity_id: int
    drv_path: str
    stage: str
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WorkerEvent:
    """An `@reprobuild` event of a name that this version does not know."""

    activity_id: int
    drv_path: str
    name: str
    fields: Mapping[str, Any] = field(default_factory=dict)


Event = (
    BuildStarted
    | BuildStopped
    | LogLine
    | PhaseSet
    | Progress
    | Expected
    | ActivityStarted
    | ActivityStopped
    | ActivityResult
    | Message
    | StageMetrics
    | StageResources
    | StageHost
    | StageHardware
    | WorkerEvent
)
