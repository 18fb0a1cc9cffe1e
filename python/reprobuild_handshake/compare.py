"""Is this machine the one that the spec asks for? Each requirement against what was measured, in full numbers.

Features brought the stage to this machine; they are words that somebody wrote into a file, and know branches of drivers
only. Here every number counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reprobuild_handshake.asked import Asked
from reprobuild_probe.features import device_names, why_unusable
from reprobuild_probe.gpu_names import gpu_names
from reprobuild_worker.errors import WorkerError

MEASURED = "measured in this build"


class HardwareError(WorkerError):
    """The machine is not what the spec asks for."""


@dataclass(frozen=True)
class Mismatch:
    """One requirement that the machine misses.

    Args:
        key: of the spec.
        mend: what to do about it.
    """

    key: str
    expected: str
    actual: str
    mend: str


def refuse_other(asked: Asked, profile: Mapping[str, Any], stage: str) -> None:
    """Refuse a machine without a usable GPU, or with another one, or another driver, than asked for.

    Raises:
        HardwareError: both numbers of each mismatch, and where they come from.
    """
    reason = why_unusable(profile)
    if reason is not None:
        raise HardwareError(
            f"stage {stage}: no usable GPU in this build\n"
            + _sides([(f"an {asked.accelerator} GPU", "reprobuild.toml, hardware.accelerator", reason)]),
            hint="run `reprobuild builder probe` on the machine that built this. If it finds a GPU there, the "
            "machine's pre-build-hook does not open it to builds: `reprobuild builder setup` installs one. If not, "
            "mend the driver, or take the feature `cuda` off the machine. The stage is never run on the CPU instead",
        )
    found = list(mismatches(asked, profile))
    if found:
        sides = [(one.expected, f"reprobuild.toml, {one.key}", one.actual) for one in found]
        raise HardwareError(
            f"stage {stage}: this machine is not the one that the spec asks for\n{_sides(sides)}",
            hint="; ".join(dict.fromkeys(one.mend for one in found)),
        )


def mismatches(asked: Asked, profile: Mapping[str, Any]) -> Iterator[Mismatch]:
    """What of the requirements does not hold for each GPU of the machine."""
    other = "build on another machine: features that it does not have are in this one's configuration"
    names = device_names(profile)
    strange = [name for name in names if asked.gpu is not None and asked.gpu not in gpu_names(name)]
    if asked.gpu is not None and strange:
        known = ", ".join(gpu_names(strange[0]))
        yield Mismatch("hardware.gpu", asked.gpu, f"{known} ({strange[0]})", other)
    for gpu in profile["gpus"]:
        capability = gpu["compute_capability"]
        if asked.compute_capability not in (None, capability):
            found = f"{capability or 'unknown'} (GPU {gpu['index']}, {gpu['name']})"
            yield Mismatch("hardware.compute_capability", str(asked.compute_capability), found, other)
            break
    version = profile["driver"]["version"]
    if asked.driver_minimum is not None and not _at_least(version, asked.driver_minimum):
        key = asked.driver_minimum_from
        change = "lower driver.minimum" if key == "driver.minimum" else f"take an older {key}"
        yield Mismatch(
            key,
            f"driver {asked.driver_minimum} or newer",
            f"driver {version or 'unknown'}",
            f"update the machine's driver to {asked.driver_minimum} or newer, or {change}",
        )
    if asked.driver_branch is not None and str(version).partition(".")[0] != asked.driver_branch:
        yield Mismatch(
            "driver.branch",
            f"driver {asked.driver_branch}",
            f"driver {version or 'unknown'}",
            f"build on a machine with a driver of branch {asked.driver_branch}, or change driver.branch",
        )


def _at_least(version: str | None, minimum: str) -> bool:
    return version is not None and _numbers(version) >= _numbers(minimum)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def _sides(rows: list[tuple[str, str, str]]) -> str:
    """Both sides of each row: expected with its place in the spec, actual as measured."""
    width = max(len(text) for expected, _, actual in rows for text in (expected, actual))
    return "\n".join(
        f"  expected {expected.ljust(width)}  {place}\n  actual   {actual.ljust(width)}  {MEASURED}"
        for expected, place, actual in rows
    )
