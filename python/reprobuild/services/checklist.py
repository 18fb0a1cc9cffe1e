"""Read a checklist, and see that its evidence is there."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import ValidationError

from reprobuild.domain.checklist import Checklist
from reprobuild.errors import UsageError
from reprobuild.services.artifact import Manifest


def read_checklist(file: Path, artifact: Manifest) -> Checklist:
    """
    Raises:
        UsageError: it is none, or names a file as evidence that the artifact does not have.
    """
    try:
        checklist = Checklist.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except (ValidationError, ValueError) as error:
        raise UsageError(
            f"{file} is not a checklist",
            expected="reprobuild.checklist/1",
            actual=_first(error),
            actual_from=str(file),
            hint="docs/formats/checklist.md names the keys",
        ) from error
    known = {str(one["path"]) for one in artifact.files}
    for item in checklist.items:
        if missing := [one for one in item.evidence if one not in known]:
            raise UsageError(
                f"{file}: {item.id} names evidence that the artifact does not have",
                expected="paths of its files",
                expected_from=str(artifact.path),
                actual=missing[0],
                actual_from=str(file),
            )
    return checklist


def _first(error: Exception) -> str:
    """The key and what is wrong with it."""
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
