"""A result that failed a check is taken out of use, and what was found stays beside it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reprobuild.errors import UsageError

INCIDENT_FILE = "incident.json"


def quarantine(
    result: Path, statements: Path | None, found: Mapping[str, Any], folder: Path, host: str
) -> Path:
    """Move a result (the folder itself, or the link) into a folder of its own, with an incident record.

    Args:
        statements: a copy of them goes along.
        found: the check's document, which holds both digests of each file that differs.
        host: name of this machine.
    Returns:
        The new folder: `incident.json`, `result`, and the statements.
    Raises:
        UsageError: it cannot be moved: a path of the store, which nobody may change, or no right to.
    """
    now = datetime.now(UTC)
    named = result.absolute()
    place = folder.absolute() / f"{named.name}-{now:%Y%m%dT%H%M%S.%fZ}"
    incident = {
        "schema": "reprobuild.incident/1",
        "time": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "host": host,
        "path": str(named),
        "is_link_to": str(named.readlink()) if named.is_symlink() else None,
        "found": found,
    }
    if named.parent == Path("/nix/store"):
        raise UsageError(
            f"{result}: a path of the store cannot be moved, so it was not put into quarantine",
            hint="quarantine the link or the copy that is used; `nix-store --verify-path` checks the store's own",
        )
    try:
        place.mkdir(parents=True)
        shutil.move(named, place / "result")
        (place / INCIDENT_FILE).write_text(json.dumps(incident, indent=2) + "\n", encoding="utf-8")
        if statements is not None and statements.is_file():
            shutil.copy(statements, place)
    except OSError as error:
        with suppress(OSError):
            place.rmdir()  # while nothing is in it
        raise UsageError(
            f"{result}: it could not be put into quarantine",
            actual=f"{error.filename or place}: {error.strerror or error}",
            hint="name a folder that you may write to with --quarantine",
        ) from error
    return place
