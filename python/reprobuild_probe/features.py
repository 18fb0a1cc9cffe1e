"""Which system features does a machine offer? What holds for each of its GPUs, and nothing else.

Documented and stable: docs/formats/system-features.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reprobuild_probe.driver_branches import branch_of, branches_up_to
from reprobuild_probe.gpu_names import gpu_names


def device_names(profile: Mapping[str, Any]) -> list[str]:
    """The devices that a program can take, as NVML names them: GPUs, and slices of those split by MIG."""
    names: list[str] = []
    for gpu in profile["gpus"]:
        if gpu["mig_enabled"]:
            names += [f"{gpu['name']} MIG {one['profile']}" for one in gpu["mig_slices"]]
        else:
            names.append(gpu["name"])
    return names


def why_unusable(profile: Mapping[str, Any]) -> str | None:
    """Why no CUDA program can count on this machine, in one line; None where it can."""
    reasons: Mapping[str, str] = profile["not_available"]
    for key in ("driver", "gpus"):
        if key in reasons:
            return reasons[key]
    unreadable = [gpu["index"] for gpu in profile["gpus"] if gpu["name"] is None]
    if unreadable:
        return f"GPU {unreadable[0]} does not answer: {reasons.get(f'gpus[{unreadable[0]}].name', '')}"
    if not profile["gpus"]:
        return "the driver is there, and lists no GPU"
    if not device_names(profile):
        return "MIG is enabled, and no slice is made: `nvidia-smi mig -cgi` makes them"
    if not profile["cuda_devices"]:
        return reasons.get("cuda_devices", "CUDA lists no device (is CUDA_VISIBLE_DEVICES set?)")
    return None


def features(profile: Mapping[str, Any]) -> tuple[str, ...]:
    """The features of a machine; none where CUDA programs cannot run."""
    if why_unusable(profile) is not None:
        return ()
    names = [gpu_names(name) for name in device_names(profile)]
    capability = _of_all([gpu["compute_capability"] for gpu in profile["gpus"]])
    version = profile["driver"]["version"]
    found = ["cuda"]
    if capability:
        found.append(f"cuda-sm-{capability.replace('.', '')}")
    found += [f"gpu-{name}" for name in names[0] if all(name in others for others in names)]
    if version:
        found.append(f"nvidia-driver-branch-{branch_of(version)}")
        found += [f"nvidia-driver-{branch}" for branch in branches_up_to(version)]
    return tuple(found)


def _of_all(values: list[str | None]) -> str | None:
    """The value, if all have the same."""
    return values[0] if len(set(values)) == 1 else None
