"""Which parts of a spec a lock is made from, and their digest.

The same rule stands in nix/lib/lock.nix, so that Nix alone refuses a stale lock; a test compares the two.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from reprobuild.domain.digest import Digest
from reprobuild.domain.spec import Spec


def lock_inputs(spec: Spec, requirements_digest: Digest | None) -> dict[str, Any]:
    """Everything that decides what is locked; a change of anything else leaves the lock fresh.

    Mirrors are not part of it: they are addresses, and say nothing about content.
    """
    dataset_keys = {"path", "url", "sha256"}
    inputs: dict[str, Any] = {
        "base": spec.base.model_dump(mode="json", exclude_none=True, exclude={"mirrors"}),
        "python": spec.python.model_dump(mode="json", exclude_none=True),
        "system": spec.hardware.system,
        "datasets": {
            name: dataset.model_dump(mode="json", exclude_none=True, include=dataset_keys)
            for name, dataset in spec.datasets.items()
        },
    }
    if spec.cuda is not None:
        inputs["cuda"] = spec.cuda.model_dump(mode="json", exclude_none=True)
    if requirements_digest is not None:
        inputs["requirements_digest"] = requirements_digest.hex
    return inputs


def inputs_digest(spec: Spec, requirements_digest: Digest | None) -> str:
    """SHA-256 (hex) over the canonical JSON of `lock_inputs`."""
    text = json.dumps(
        lock_inputs(spec, requirements_digest), sort_keys=True, ensure_ascii=False, separators=(",", ":")
    )
    return hashlib.sha256(text.encode()).hexdigest()
