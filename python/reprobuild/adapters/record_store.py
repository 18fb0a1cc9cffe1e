"""Build records as JSON files, one each, under the user's state folder."""

from __future__ import annotations

import glob
import os
from pathlib import Path

from pydantic import ValidationError

from reprobuild.domain.record import BuildRecord


def state_home() -> Path:
    """`$XDG_STATE_HOME/reprobuild`, by default `~/.local/state/reprobuild`."""
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "reprobuild"


class FileRecordStore:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, record: BuildRecord) -> Path:
        """Write atomically; the name sorts by time."""
        self._folder.mkdir(parents=True, exist_ok=True)
        stamp = record.finished.replace(":", "").replace("-", "").replace(".", "")
        target = self._folder / f"{stamp}-{record.model}-{record.version}-{os.getpid()}.json"
        part = target.with_suffix(".part")
        part.write_text(
            record.model_dump_json(by_alias=True, exclude_none=True, indent=2) + "\n", encoding="utf-8"
        )
        part.replace(target)
        return target

    def of_version(self, model: str, version: str) -> list[BuildRecord]:
        """Records of one version of a model, oldest first; foreign and damaged files are passed over."""
        found = []
        for file in sorted(self._folder.glob(f"*-{glob.escape(f'{model}-{version}')}-*.json")):
            try:
                record = BuildRecord.model_validate_json(file.read_text(encoding="utf-8"))
            except (OSError, ValidationError):
                continue
            if (record.model, record.version) == (model, version):
                found.append(record)
        return found
