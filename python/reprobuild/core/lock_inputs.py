"""Which parts of a spec a lock is made from, and their digests.

The same rule stands in nix/lib/lock.nix, so that Nix alone refuses a stale lock; a test compares the two.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal

from reprobuild.domain.digest import Digest
from reprobuild.domain.spec import Spec

Part = Literal["base", "data", "python"]


def lock_inputs(spec: Spec, requirements_digest: Digest | None) -> dict[Part, dict[str, Any]]:
    """Everything that decides what is locked; a change of anything else leaves the lock fresh.

    Mirrors are not part of it: they are addresses, and say nothing about content.
    """
    system = spec.hardware.system
    python: dict[str, Any] = {
        "python": spec.python.model_dump(mode="json", exclude_none=True),
        "system": system,
    }
    if spec.cuda is not None:
        python["cuda"] = spec.cuda.model_dump(mode="json", exclude_none=True)
    # no wheel may be built for processors alone, and stages on a GPU measure their machine with a pinned tool
    if spec.hardware.accelerator != "none":
        python["accelerator"] = spec.hardware.accelerator
    if requirements_digest is not None:
        python["requirements_digest"] = requirements_digest.hex
    base: dict[str, Any] = {
        "base": spec.base.model_dump(mode="json", exclude_none=True, exclude={"mirrors"}),
        "system": system,
    }
    if spec.numerics.level == "portable":  # needs a compiler, of the base's archive state
        base["level"] = spec.numerics.level
    if spec.cuda is not None and spec.cuda.nvcc:  # needs a host compiler
        base["nvcc"] = True
    place = {"path", "url", "sha256"}
    return {
        "base": base,
        "data": {
            name: dataset.model_dump(mode="json", exclude_none=True, include=place)
            for name, dataset in spec.datasets.items()
        },
        "python": python,
    }


def input_digests(spec: Spec, requirements_digest: Digest | None) -> dict[Part, str]:
    """SHA-256 (hex) of each part's canonical JSON."""
    return {
        part: hashlib.sha256(
            json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
        ).hexdigest()
        for part, value in lock_inputs(spec, requirements_digest).items()
    }
