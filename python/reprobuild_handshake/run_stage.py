"""The builder of a stage on a GPU: isolation, handshake, then the worker; at the end, was the GPU used at all?"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping

from reprobuild_handshake.asked import asked
from reprobuild_handshake.compare import refuse_other
from reprobuild_handshake.measure import measure
from reprobuild_worker import run_stage as worker
from reprobuild_worker.config import stage_config
from reprobuild_worker.nixlog import NixReporter


def main(check: Callable[[Mapping[str, str]], None] = worker.check_isolated) -> int:
    """Run the stage that `reprobuildStage` describes on the machine that `reprobuildHardware` asks for.

    Args:
        check: as in the worker: raises SandboxError when not isolated.
    Returns:
        the exit status: 0, or 1 when user code failed.
    Raises:
        HardwareError: another machine, or no GPU. User code has not been run.
        WorkerError: as the worker.
    """

    def check_machine(environment: Mapping[str, str]) -> None:
        check(environment)
        shake_hands(environment)

    name = stage_config(os.environ).name
    status = worker.main(check_machine)
    if status == 0 and (warning := unused_gpu()):
        NixReporter().line(f"warning: stage {name} {warning}")
    return status


def shake_hands(environment: Mapping[str, str]) -> None:
    """Measure the machine, say so in the log for the build record, and refuse one that the spec does not ask for.

    Raises:
        HardwareError, ProbeError, ConfigError.
    """
    wanted, name = asked(environment), stage_config(environment).name
    profile = measure(wanted.nvml, environment)
    NixReporter().event("hardware", stage=name, **profile)
    refuse_other(wanted, profile, name)


def unused_gpu() -> str | None:
    """What speaks for a stage that has asked for a GPU in vain; None where nothing does."""
    torch = sys.modules.get("torch")
    if torch is None or not hasattr(torch, "cuda") or torch.cuda.is_initialized():
        return None
    return "asked for a GPU and did not use it: torch never started CUDA (is the model moved to `cuda`?)"
