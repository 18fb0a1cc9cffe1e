"""Does a project's baseline tell noise from change for this comparison?"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from reprobuild.core.baseline import spec_digest
from reprobuild.domain.baseline import BASELINE_FILE, Baseline
from reprobuild.domain.spec import Spec


def baseline_of_one(project: Path, specs: Iterable[Spec | None]) -> Baseline | None:
    """The project's, if it was measured with one of these specs; None where there is none, or it is damaged."""
    try:
        found = Baseline.model_validate_json((project / BASELINE_FILE).read_bytes())
    except (OSError, ValidationError):
        return None
    fits = any(spec is not None and spec_digest(spec) == found.spec_digest for spec in specs)
    return found if fits else None
