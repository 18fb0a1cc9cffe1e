"""What may this stage use of the machine? Cores and memory that the spec states, kept while user code runs."""

from __future__ import annotations

import errno
import os
import random
import resource

from reprobuild_worker.config import Limits
from reprobuild_worker.errors import MemoryLimitError

MIB = 2**20

# How libraries say it that do not raise MemoryError: torch's allocator, C++'s, a thread's stack.
_WORDS = ("can't allocate memory", "annot allocate memory", "bad_alloc", "can't start new thread")


def apply(limits: Limits, stage: str) -> list[str]:
    """Keep this process and its children to the limits; returns lines that say so, for the log.

    Memory: RLIMIT_DATA, so what each process allocates counts, and mapped files (torch's libraries) do not. The soft
    limit alone is set, so that a stage that reached it can still say so.

    Cores: any of those that there are. How many threads compute is `numerics.threads`, whatever the cores are.
    """
    lines = []
    if limits.memory_mib is not None:
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        wanted = limits.memory_mib * MIB
        resource.setrlimit(
            resource.RLIMIT_DATA, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
        )
        # also for libraries that end the process when they get no more: the log then names the limit
        lines.append(f"limit: {limits.memory_mib} MiB of memory ({_key(stage)})")
    if limits.cores is not None:
        there = sorted(os.sched_getaffinity(0))
        # Not the first ones: stages that run at the same time would share them. No result can depend on which.
        os.sched_setaffinity(0, random.SystemRandom().sample(there, min(limits.cores, len(there))))
        lines.append(f"limit: {limits.cores} of {len(there)} cores")
    return lines


def lift_memory() -> None:
    """Room again, to tell what happened or to check the output."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))


def memory_problem(error: BaseException, limits: Limits, stage: str) -> MemoryLimitError | None:
    """The error for a stage that got no more memory under its limit; None for any other failure."""
    if limits.memory_mib is None or not _is_out_of_memory(error):
        return None
    key = _key(stage)
    problem = MemoryLimitError(
        f"stage {stage} reached its memory limit\n"
        f"  expected at most {limits.memory_mib} MiB allocated  reprobuild.toml, {key}\n"
        f"  actual   {type(error).__name__}: {str(error).strip().partition(chr(10))[0] or 'no more memory'}",
        hint=f"raise {key}, or hold less at a time",
    )
    return problem.with_traceback(error.__traceback__)  # the user's line


def _key(stage: str) -> str:
    return f"stages.{stage}.resources.memory_mib"


def _is_out_of_memory(error: BaseException) -> bool:
    return (
        isinstance(error, MemoryError)
        or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
        or (isinstance(error, RuntimeError) and any(words in str(error) for words in _WORDS))
    )
