"""Measures this machine: runs the probe in a process of its own, which a broken driver may end or hold up."""

from __future__ import annotations

import subprocess
import sys

from pydantic import ValidationError

from reprobuild.domain.hardware import HardwareProfile
from reprobuild.errors import ToolFailedError

TIMEOUT_S = 120


def measure_here() -> HardwareProfile:
    """
    Raises:
        ToolFailedError: the probe crashed or hangs, as with a driver that is broken.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "reprobuild_probe"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ToolFailedError(
            f"the hardware probe gave no answer in {TIMEOUT_S} s", hint="look at `dmesg`: the driver may hang"
        ) from None
    if done.returncode != 0:
        raise ToolFailedError(
            f"the hardware probe ended with status {done.returncode}",
            details=tuple(done.stderr.strip().splitlines()[-6:]),
            hint="look at `dmesg`: the driver may be broken",
        )
    return read_profile(done.stdout, "here")


def read_profile(text: str, origin: str) -> HardwareProfile:
    """What a probe printed.

    Args:
        origin: where it ran, for messages.
    Raises:
        ToolFailedError: it is no profile of this version.
    """
    try:
        return HardwareProfile.model_validate_json(text)
    except ValidationError as error:
        raise ToolFailedError(
            f"the hardware probe {origin} printed no hardware profile",
            expected="a document reprobuild.hardware-profile/1",
            actual=text[:200] or "nothing",
            details=tuple(str(error).splitlines()[:6]),
        ) from None
