"""Which system features a stage's builder must have: the tags by which Nix chooses the machine.

The same rules as nix/lib/gpu-features.nix, where they reach the derivation; a test compares the two. What each
feature means, and when a machine offers it: docs/formats/system-features.md.
"""

from __future__ import annotations

from typing import Final

from reprobuild.core.cuda_table import least_driver
from reprobuild.domain.spec import Spec

# The pinned tool by which stages on a GPU measure their machine; nix/lib/gpu-stage.nix hands it to them.
NVML_TOOL: Final = "nvidia-ml-py"


def gpu_features(spec: Spec) -> tuple[str, ...]:
    """What `[hardware]`, `[driver]` and `[cuda]` ask of the builder of a stage with `gpu = true`.

    Where `[driver]` states no minimum, the toolkit's own counts.
    """
    asked = [
        ("gpu-", spec.hardware.gpu),
        ("cuda-sm-", (spec.hardware.compute_capability or "").replace(".", "")),
        ("nvidia-driver-", (least_driver(spec) or "").partition(".")[0]),
        ("nvidia-driver-branch-", spec.driver and spec.driver.branch),
    ]
    return ("cuda", *(f"{kind}{value}" for kind, value in asked if value))


def is_hardware(feature: str) -> bool:
    """Whether a system feature speaks of hardware, which the probe measures (docs/formats/system-features.md)."""
    return feature == "cuda" or feature.startswith(("cuda-sm-", "gpu-", "nvidia-driver-"))


def required_features(spec: Spec, stage: str) -> tuple[str, ...]:
    """`requiredSystemFeatures` of a stage's derivation, in its order."""
    own = spec.stages[stage]
    return (*own.features, *(gpu_features(spec) if own.gpu else ()))
