"""The versions that decide how numbers come out: of Python, torch, CUDA, the C library and the driver."""

from __future__ import annotations

from typing import Any

from reprobuild.domain.comparison import Origin
from reprobuild.domain.lock import Lock
from reprobuild.domain.spec import Spec

_WHEELS = ("torch", "numpy", "scikit-learn", "jax", "tensorflow")
_CUDA_RUNTIME = ("nvidia-cuda-runtime", "nvidia-cuda-runtime-cu12", "nvidia-cuda-runtime-cu11")


def software(spec: Spec | None, lock: Lock | None, system: str) -> dict[str, str]:
    """Name → version, as far as spec and lock say."""
    found: dict[str, str | None] = {}
    if lock is not None:
        pin = lock.systems.get(system)
        if pin is not None:
            found |= {"python": pin.python_version, "glibc": pin.glibc_version}
            found["archive state"] = f"{pin.suite} {pin.snapshot}"
        wheels = {one.name: one.version for one in lock.for_system(system) if one.kind == "wheel"}
        found |= {name: wheels.get(name) for name in _WHEELS}
        found["cuda runtime"] = next((wheels[name] for name in _CUDA_RUNTIME if name in wheels), None)
        found |= {
            f"package {one.name}": one.version
            for one in lock.for_system(system)
            if one.kind == "deb" and one.name.startswith("python3.") and one.name[8:].isdigit()
        }
    if spec is not None:
        found["cuda toolkit"] = spec.cuda.toolkit if spec.cuda else None
        driver = spec.driver
        found["driver minimum"] = driver.minimum if driver else None
        found["driver branch"] = driver.branch if driver else None
    return {name: version for name, version in found.items() if version is not None}


def machine(label: str, origin: Origin) -> dict[str, Any]:
    """What was measured where a stage was built: `LABEL: WHAT` → value."""
    host, numerics, hardware = origin.host or {}, origin.numerics or {}, origin.hardware or {}
    gpus = [gpu.get("name") for gpu in hardware.get("gpus") or () if isinstance(gpu, dict)]
    found = {
        **{key: host.get(key) for key in sorted(host) if key not in ("host_name",)},
        **{key: numerics.get(key) for key in sorted(numerics)},
        "driver": (hardware.get("driver") or {}).get("version"),
        "gpus": ", ".join(map(str, gpus)) or None,
    }
    return {f"{label}: {key}": value for key, value in found.items() if value is not None}
