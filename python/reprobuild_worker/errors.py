"""Errors of the worker: what failed, and one next step. `__main__` alone prints them."""

from __future__ import annotations

import sys


class WorkerError(Exception):
    """Something that the writer of a stage or a spec can mend.

    Args:
        message: one line, what failed and on what; further lines as details.
        hint: one next step, an imperative sentence.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\nhint: {self.hint}"


class ConfigError(WorkerError):
    """The configuration that Nix hands in is missing or not of this version."""


class SandboxError(WorkerError):
    """The stage would not be isolated from this host."""


class MemoryLimitError(WorkerError):
    """User code got no more memory under the limit that the spec states."""


class UnknownNameError(WorkerError, AttributeError, KeyError):
    """A parameter, dataset or input that the spec does not declare for this stage."""


class OutputError(WorkerError):
    """The output misses something, has something undeclared, or has something unsafe."""


class PickleError(OutputError):
    """A file in the output holds Python objects, which run code when they are read."""


class CanonicalJsonError(WorkerError):
    """A value has no canonical JSON form: NaN, infinity, or not JSON at all."""


class UnhashableTensorError(WorkerError):
    """A tensor is sparse, has no storage, or is of a type without a digest."""


class GoalMissedError(WorkerError):
    """A metric does not reach the goal that the spec requires."""


def print_error(error: WorkerError) -> None:
    """Print in the one form that all of reprobuild uses."""
    sys.stdout.flush()
    print(f"error: {error}", file=sys.stderr, flush=True)
