"""What of a machine can make numbers differ? Facts out of what a record holds of one side, each as a word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reprobuild.domain.comparison import Origin


def machine_facts(origin: Origin | None) -> dict[str, str]:
    """Fact → value, of those that are known: `cpu_model`, `cpu_capability` and `threads` of torch, `gpu`, `driver`,
    `driver_libraries`, `multiprocessors`, `threads_per_multiprocessor`, `mig_enabled`.
    """
    if origin is None:
        return {}
    numerics = origin.numerics or {}
    facts = {
        "cpu_model": (origin.host or {}).get("cpu_model"),
        **{key: numerics.get(key) for key in ("cpu_capability", "threads", "gpu")},
        **_of_profile(origin.hardware or {}),
    }
    return {key: str(value) for key, value in facts.items() if value not in (None, "")}


def _of_profile(profile: Mapping[str, Any]) -> dict[str, Any]:
    """A hardware profile's facts; of several GPUs, those that all share or each in turn."""
    gpus = [gpu for gpu in profile.get("gpus") or () if isinstance(gpu, dict)]
    driver = profile.get("driver") or {}
    facts = {"driver": driver.get("version"), "driver_libraries": (driver.get("libraries_digest") or "")[:12]}
    for fact, key in (
        ("gpu", "name"),
        ("multiprocessors", "multiprocessors"),
        ("threads_per_multiprocessor", "threads_per_multiprocessor"),
        ("mig_enabled", "mig_enabled"),
    ):
        values = dict.fromkeys(str(gpu[key]) for gpu in gpus if gpu.get(key) is not None)
        if values:
            facts[fact] = ", ".join(values)
    return facts
