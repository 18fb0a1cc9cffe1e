"""Epochs, steps and losses while a stage runs: for people, for Nix front ends, for the trajectory."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from reprobuild_worker.errors import WorkerError
from reprobuild_worker.nixlog import Reporter

T = TypeVar("T")
EndEpoch = Callable[[int, dict[str, float]], None]


class Progress:
    """Counts epochs and steps of one stage.

    Args:
        end_epoch: told each finished epoch and the values logged in it.
    """

    def __init__(self, stage: str, reporter: Reporter, end_epoch: EndEpoch) -> None:
        self.loader_s = 0.0  # time spent waiting for the next batch
        self._stage = stage
        self._reporter = reporter
        self._end_epoch = end_epoch
        self._epoch = 0  # 0: not in an epoch
        self._epochs = 0
        self._values: dict[str, float] = {}
        self._closed = False

    @property
    def in_epoch(self) -> bool:
        return self._epoch > 0

    def epochs(self, count: int) -> Iterator[int]:
        """Yield 1 to `count`; leaving early with `break` ends the epoch as usual."""
        if self.in_epoch:
            raise WorkerError("stage.epochs is used inside of another stage.epochs loop")
        activity = self._reporter.start(f"{self._stage}: {count} epochs")
        try:
            for epoch in range(1, count + 1):
                self._begin(epoch, count)
                self._reporter.progress(activity, epoch - 1, count)
                yield epoch
                self._end()
            self._reporter.progress(activity, count, count)
        except GeneratorExit:
            self._end()
            raise
        finally:
            self._reporter.stop(activity)

    def steps(self, batches: Iterable[T], total: int | None = None) -> Iterator[T]:
        """Yield the batches, timing how long each one takes to come."""
        expected = total if total is not None else _length(batches)
        where = f"epoch {self._epoch}/{self._epochs} steps" if self.in_epoch else "steps"
        activity = self._reporter.start(f"{self._stage}: {where}")
        done = 0
        iterator = iter(batches)
        try:
            while True:
                asked_at = time.perf_counter()
                try:
                    batch = next(iterator)
                except StopIteration:
                    return
                finally:
                    self.loader_s += time.perf_counter() - asked_at
                yield batch
                done += 1
                self._reporter.progress(activity, done, expected)
        finally:
            self._reporter.stop(activity)

    def log(self, values: dict[str, Any]) -> None:
        """Keep an epoch's values (the last one of a name wins); outside of epochs print them at once."""
        for name, value in values.items():
            number = _number(name, value)
            if not math.isfinite(number):
                where = f" in epoch {self._epoch}" if self.in_epoch else ""
                raise WorkerError(
                    f"stage.log: {name} is {number}{where}",
                    hint="lower the learning rate, or look at the data",
                )
            self._values[name] = number
        if not self.in_epoch:
            self._reporter.line(_words(self._values))
            self._reporter.event("metrics", stage=self._stage, values=self._values)
            self._values = {}

    def abandon(self) -> None:
        """The stage failed: what is still open does not count."""
        self._closed = True

    def _begin(self, epoch: int, count: int) -> None:
        last = f" {_words(self._values)}" if self._values else ""
        self._reporter.phase(f"{self._stage}: epoch {epoch}/{count}{last}")
        self._epoch, self._epochs, self._values = epoch, count, {}

    def _end(self) -> None:
        if self._closed:
            return
        epoch, values = self._epoch, self._values
        self._epoch = 0
        self._reporter.line(f"epoch {epoch}/{self._epochs}  {_words(values, gap='  ')}".rstrip())
        self._reporter.event("metrics", stage=self._stage, epoch=epoch, epochs=self._epochs, values=values)
        self._end_epoch(epoch, values)


def _number(name: str, value: Any) -> float:
    if hasattr(value, "item"):  # a tensor or array of one element
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise WorkerError(f"stage.log: {name} is a {type(value).__name__}, not a number")
    return value


def _words(values: dict[str, float], *, gap: str = " ") -> str:
    return gap.join(f"{name} {value:.4g}" for name, value in values.items())


def _length(batches: Any) -> int:
    try:
        return len(batches)
    except TypeError:
        return 0
