"""Measures the machine in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reprobuild_worker.errors import WorkerError

# Without a persistence daemon, the driver wakes each GPU first: seconds for each of eight.
TIMEOUT_S = 300


class ProbeError(WorkerError):
    """The probe did not come to its end."""


def measure(nvml: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """The hardware profile of this machine, as the sandbox sees it.

    In another process: CUDA, once started, cannot be started again by processes that user code forks, and no longer
    listens to CUDA_VISIBLE_DEVICES. And what a broken driver takes down is the probe alone.

    Args:
        nvml: wheel or folder with `pynvml`.
    Raises:
        ProbeError: it crashed, hangs, or printed something else.
    """
    packages = Path(__file__).resolve().parents[1]
    try:
        done = subprocess.run(
            [sys.executable, "-s", "-P", "-m", "reprobuild_probe"],
            env={**environment, "PYTHONPATH": os.pathsep.join([str(packages), nvml])},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        if done.returncode == 0:
            return dict(json.loads(done.stdout))
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        said = f"it ended with status {done.returncode}: {last}"
    except subprocess.TimeoutExpired:
        said = f"it gave no answer in {TIMEOUT_S} s"
    except ValueError as error:
        said = f"its answer is not JSON: {error}"
    raise ProbeError(
        f"the hardware probe failed, and a GPU that nobody measured is not used\n  {said}",
        hint="run `reprobuild builder probe` on the machine that built this, and look at its `dmesg`",
    )
