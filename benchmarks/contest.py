"""How long do contenders take, in turn? And what do their times say about each other?"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

# One call does one repetition and returns seconds by name: preparing and cleaning up are not in them.
Contender = Callable[[], Mapping[str, float]]
Samples = dict[str, list[float]]


class CommandFailedError(Exception):
    """A contender did not do its work, so its time means nothing."""


def interleaved(name: str, contenders: Sequence[Contender], repeat: int, *, warm_up: bool = True) -> Samples:
    """Let all contenders run once, then again, and so on: a machine that slows down slows all of them.

    Args:
        warm_up: one round before, which does not count.
    """
    samples: Samples = {}
    for turn in range(0 if warm_up else 1, repeat + 1):
        for contender in contenders:
            for key, seconds in contender().items():
                if turn > 0:
                    samples.setdefault(key, []).append(round(seconds, 4))
        last = "  ".join(f"{key} {values[-1]:.3f}" for key, values in samples.items())
        print(f"{name}: {turn or 'warm-up'}/{repeat}  {last}", file=sys.stderr, flush=True)
    return samples


def ratios(samples: Samples, over: Sequence[str], under: Sequence[str]) -> list[float]:
    """Sum of `over` by sum of `under`, round by round."""
    rounds = zip(*(samples[key] for key in (*over, *under)), strict=True)
    return [round(sum(times[: len(over)]) / sum(times[len(over) :]), 4) for times in rounds]


def timed(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    ok: int = 0,
) -> tuple[float, str]:
    """Seconds from start to end of a process, and all that it printed.

    Raises:
        CommandFailedError: it ended with another status than `ok`.
    """
    begun = time.perf_counter()
    done = subprocess.run(
        command,
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    seconds = time.perf_counter() - begun
    text = done.stdout.decode("utf-8", "replace")
    if done.returncode != ok:
        last = "\n".join(text.splitlines()[-15:])
        raise CommandFailedError(f"{' '.join(map(str, command))[:300]} ended with {done.returncode}\n{last}")
    return seconds, text


def quiet_disk() -> None:
    """Write out what earlier work left behind, so that the next contender does not wait for it."""
    os.sync()


def middle(values: Sequence[float]) -> float:
    return round(median(values), 4)
