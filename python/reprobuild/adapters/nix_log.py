"""Nix's `--log-format internal-json` stderr, line by line, into typed events.

Found by running it on 2.8.0, 2.26.3 and 2.34.8 (recorded in tests/golden/nix-log):

- `nix-store --realise X.drv --log-format internal-json` works without `-v`: builder output comes as
  results of type 101 on the build's activity, stdout and stderr of the builder in one stream. So does
  `nix-build`. stdout holds the output paths only. `-v` adds nothing that we use.
- An unterminated last line arrives when the builder ends; invalid UTF-8 arrives as U+FFFD; carriage
  returns are already applied, but not alike in all releases ("progress 20m", "progress 2").
- The log file Nix keeps (`nix-store --read-log`) is rawer: it has the bytes as printed, `@nix` lines
  included. A digest over log lines is therefore not the file's digest.
- 2.8 never sends `parent`, 2.26 does. Without it, an activity that a builder starts does not say which
  build it belongs to. We give it to the build that spoke last: Nix reads one builder at a time.
- A builder may print `@nix` messages too; they look like Nix's own, level 0 included. A broken `@nix`
  line gives such a message and a log line. Activities are renumbered; other types than 101 are dropped.
- A stop does not say whether the build succeeded. Before it, the BUILDS activity (type 104) reports
  [done, expected, running, failed]; failures also come as a message of level 0, in 2.34 after the stop.
  2.34's "timed out after N seconds" names no derivation.
"""

from __future__ import annotations

import json
from enum import IntEnum
from typing import Any

from reprobuild.core.addresses import redact_all
from reprobuild.domain.build_event import (
    ActivityKind,
    ActivityResult,
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
    plain_text,
)

NIX_PREFIX = "@nix "
WORKER_PREFIX = "@reprobuild "

Fields = tuple[str | int, ...]


class _Result(IntEnum):
    BUILD_LOG_LINE = 101
    SET_PHASE = 104
    PROGRESS = 105
    SET_EXPECTED = 106
    POST_BUILD_LOG_LINE = 107


class _UnexpectedError(Exception):
    """A line is not what we know; it becomes a message."""


class NixLogParser:
    """Reads one Nix command's stderr; keeps which activity is what.

    `feed` never raises and loses nothing: what it cannot place it returns as a `Message`
    (or `ActivityResult`), in order.
    """

    def __init__(self) -> None:
        self._kinds: dict[int, int] = {}
        self._drvs: dict[int, str] = {}  # build and its children -> drv path
        self._spoke_last = 0  # activity id of a build

    def feed(self, line: str) -> list[Event]:
        line = line.rstrip("\r\n")
        if not line.startswith(NIX_PREFIX):
            return [Message(Level.INFO, _shown(line))] if line else []
        try:
            return self._action(_json_object(line[len(NIX_PREFIX) :]))
        except _UnexpectedError:
            return [Message(Level.INFO, _shown(line))]

    def _action(self, entry: dict[str, Any]) -> list[Event]:
        match entry.get("action"):
            case "msg":
                return [Message(_integer(entry, "level", Level.INFO), _shown(_string(entry, "msg")))]
            case "start":
                return [self._start(entry)]
            case "stop":
                return [self._stop(_integer(entry, "id"))]
            case "result":
                return self._result(_integer(entry, "id"), _integer(entry, "type"), _fields(entry))
        raise _UnexpectedError

    def _start(self, entry: dict[str, Any]) -> Event:
        activity_id = _integer(entry, "id")
        kind = _integer(entry, "type", ActivityKind.UNKNOWN)
        fields = _fields(entry)
        text = _shown(_string(entry, "text", ""))
        self._kinds[activity_id] = kind
        if kind == ActivityKind.BUILD and fields and isinstance(fields[0], str):
            self._drvs[activity_id] = fields[0]
            self._spoke_last = activity_id
            return BuildStarted(activity_id, fields[0], machine=str(fields[1]) if len(fields) > 1 else "")
        parent_id = _integer(entry, "parent", 0)
        drv_path = self._drvs.get(parent_id, "") or self._builder_of(kind, fields)
        if drv_path:
            self._drvs[activity_id] = drv_path
        return ActivityStarted(
            activity_id=activity_id,
            kind=kind,
            level=_integer(entry, "level", Level.INFO),
            text=text,
            fields=fields,
            parent_id=parent_id,
            drv_path=drv_path,
        )

    def _builder_of(self, kind: int, fields: Fields) -> str:
        # Nix's own transfers carry their address; what a builder starts for steps has none
        if kind != ActivityKind.FILE_TRANSFER or any("://" in str(item) for item in fields):
            return ""
        return self._drvs.get(self._spoke_last, "")

    def _stop(self, activity_id: int) -> Event:
        kind = self._kinds.pop(activity_id, int(ActivityKind.UNKNOWN))
        drv_path = self._drvs.pop(activity_id, "")
        if kind == ActivityKind.BUILD and drv_path:
            return BuildStopped(activity_id, drv_path)
        return ActivityStopped(activity_id, kind, drv_path)

    def _result(self, activity_id: int, result_type: int, fields: Fields) -> list[Event]:
        drv_path = self._drvs.get(activity_id, "")
        kind = self._kinds.get(activity_id, int(ActivityKind.UNKNOWN))
        match result_type, fields:
            case (_Result.POST_BUILD_LOG_LINE, (str(text), *_)):
                return [Message(Level.INFO, plain_text(text))]
            case (_Result.BUILD_LOG_LINE, (str(text), *_)):
                self._heard(activity_id, kind)
                return _log_line(activity_id, drv_path, text)
            case (_Result.SET_PHASE, (str(phase), *_)):
                self._heard(activity_id, kind)
                return [PhaseSet(activity_id, drv_path, plain_text(phase))]
            case (_Result.PROGRESS, (int(done), int(expected), int(running), int(failed), *_)):
                return [Progress(activity_id, kind, drv_path, done, expected, running, failed)]
            case (_Result.SET_EXPECTED, (int(of_kind), int(amount), *_)):
                return [Expected(activity_id, of_kind, amount)]
        return [ActivityResult(activity_id, result_type, fields)]

    def _heard(self, activity_id: int, kind: int) -> None:
        if kind == ActivityKind.BUILD:
            self._spoke_last = activity_id


def _log_line(activity_id: int, drv_path: str, text: str) -> list[Event]:
    if text.startswith(WORKER_PREFIX):
        try:
            event = _worker_event(activity_id, drv_path, _json_object(text[len(WORKER_PREFIX) :]))
        except _UnexpectedError:
            pass  # looks like ours but is not: an ordinary line
        else:
            return [LogLine(activity_id, drv_path, text, structured=True), event]
    return [LogLine(activity_id, drv_path, text)]


def _worker_event(activity_id: int, drv_path: str, entry: dict[str, Any]) -> Event:
    name = _string(entry, "event")
    rest = {key: value for key, value in entry.items() if key not in ("event", "stage")}
    stage = entry.get("stage")
    if not isinstance(stage, str):
        return WorkerEvent(activity_id, drv_path, name, {k: v for k, v in entry.items() if k != "event"})
    if name == "metrics" and isinstance(values := entry.get("values"), dict):
        numbers = {key: number for key, value in values.items() if (number := _number(value)) is not None}
        epoch, epochs = _integer(entry, "epoch", 0), _integer(entry, "epochs", 0)
        return StageMetrics(activity_id, drv_path, stage, epoch, epochs, numbers)
    if name == "resources":
        return StageResources(activity_id, drv_path, stage, rest)
    if name == "host":
        return StageHost(activity_id, drv_path, stage, rest)
    if name == "hardware":
        return StageHardware(activity_id, drv_path, stage, rest)
    return WorkerEvent(activity_id, drv_path, name, {"stage": stage, **rest})


def _shown(text: str) -> str:
    """As people may see it: a cache's address may hold a login."""
    return redact_all(plain_text(text))


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: also integers of absurd length
        raise _UnexpectedError from error
    if not isinstance(value, dict):
        raise _UnexpectedError
    return value


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _integer(entry: dict[str, Any], key: str, default: int | None = None) -> int:
    value = entry.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if value is None and default is not None:
        return int(default)
    raise _UnexpectedError


def _string(entry: dict[str, Any], key: str, default: str | None = None) -> str:
    value = entry.get(key, default)
    if not isinstance(value, str):
        raise _UnexpectedError
    return value


def _fields(entry: dict[str, Any]) -> Fields:
    value = entry.get("fields", [])
    if not isinstance(value, list) or not all(isinstance(v, str) or _is_integer(v) for v in value):
        raise _UnexpectedError
    return tuple(value)
