"""How progress leaves the sandbox: in Nix's log protocol, and in `@reprobuild` lines for the build record.

Nix forwards `setPhase` and activities of type 101 from builders and drops the rest. Results of type 105 carry
[done, expected, running, failed], unsigned integers all.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

ACTIVITY_FILE_TRANSFER = 101
RESULT_PROGRESS = 105
LEVEL_CHATTY = 5  # so that plain logs do not print a line for each activity
INTERVAL_S = 0.2


class Reporter:
    """Prints for people only: what a stage does outside of a build."""

    def line(self, text: str) -> None:
        print(text, flush=True)

    def event(self, event: str, **fields: Any) -> None:
        """One machine-readable line; may hold what varies, for it never reaches an output."""

    def phase(self, text: str) -> None:
        """What the build is doing now."""

    def start(self, text: str) -> int:
        """Begin an activity with progress; returns its id."""
        return 0

    def progress(self, activity: int, done: int, expected: int) -> None:
        """How far an activity is; `expected` 0 means unknown."""

    def stop(self, activity: int) -> None:
        """End an activity."""


class NixReporter(Reporter):
    """Speaks Nix's log protocol on stderr and `@reprobuild` on stdout.

    Args:
        clock: seconds, monotonic; used only to keep lines of one kind 0.2 s apart.
    """

    def __init__(
        self,
        *,
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stdout = stdout or sys.stdout
        self._stderr = stderr or sys.stderr
        self._clock = clock
        self._last_id = 0
        self._printed_at: dict[object, float] = {}
        self._waiting: dict[int, str] = {}

    def line(self, text: str) -> None:
        print(text, file=self._stdout, flush=True)

    def event(self, event: str, **fields: Any) -> None:
        self.line("@reprobuild " + json.dumps({"event": event, **fields}, sort_keys=True))

    def phase(self, text: str) -> None:
        if self._due("phase"):
            self._nix(action="setPhase", phase=text)

    def start(self, text: str) -> int:
        self._last_id += 1
        self._waiting[self._last_id] = text  # shown with its first progress: what is over at once never shows
        self._printed_at[self._last_id] = self._clock()
        return self._last_id

    def progress(self, activity: int, done: int, expected: int) -> None:
        if self._due(activity) or (done == expected and activity not in self._waiting):
            if text := self._waiting.pop(activity, None):
                self._nix(
                    action="start",
                    id=activity,
                    level=LEVEL_CHATTY,
                    type=ACTIVITY_FILE_TRANSFER,
                    text=text,
                    parent=0,
                    fields=[text],
                )
            self._nix(action="result", id=activity, type=RESULT_PROGRESS, fields=[done, expected, 0, 0])

    def stop(self, activity: int) -> None:
        if self._waiting.pop(activity, None) is None:
            self._nix(action="stop", id=activity)
        self._printed_at.pop(activity, None)

    def _due(self, kind: object) -> bool:
        now = self._clock()
        if now - self._printed_at.get(kind, float("-inf")) < INTERVAL_S:
            return False
        self._printed_at[kind] = now
        return True

    def _nix(self, **fields: Any) -> None:
        print("@nix " + json.dumps(fields), file=self._stderr, flush=True)
