"""Build records as JSON files, one each, under the user's state folder."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from reprobuild.domain.digest import Digest
from reprobuild.domain.record import BuildRecord

_NEWEST: Final = 50


def state_home() -> Path:
    """`$XDG_STATE_HOME/reprobuild`, by default `~/.local/state/reprobuild`."""
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "reprobuild"


class FileRecordStore:
    """Records in a folder, and in `locks` beside it the lock files that they name."""

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
        return list(self.files_of_version(model, version).values())

    def files_of_version(self, model: str, version: str) -> dict[Path, BuildRecord]:
        """The same, by their files."""
        found = _readable(self._files(f"{model}-{version}"))
        return {file: one for file, one in found if (one.model, one.version) == (model, version)}

    def of_model(self, model: str) -> list[BuildRecord]:
        """The newest records of a model, of all versions, oldest first; no more than are read in a moment."""
        return [one for _, one in _readable(self._files(model)[-_NEWEST:]) if one.model == model]

    def files_of_model(self, model: str) -> dict[Path, BuildRecord]:
        """All records of a model with their files, of all versions, oldest first."""
        return {file: one for file, one in _readable(self._files(model)) if one.model == model}

    def all(self) -> Iterator[tuple[Path, BuildRecord | None]]:
        """Every record with its file, oldest first; None: the file is damaged, or of another release."""
        for file in sorted(self._folder.glob("*.json")):
            yield next(_readable([file]), (file, None))

    def keep_lock(self, content: bytes) -> None:
        """Keep a lock file under its digest: many records name the same one."""
        target = self._lock_file(Digest.of_bytes(content))
        if target.exists():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_suffix(f".{os.getpid()}.part")
        part.write_bytes(content)
        part.replace(target)

    def lock(self, digest: Digest) -> bytes | None:
        """The kept lock file; None: it was not kept, or is not what it was."""
        try:
            content = self._lock_file(digest).read_bytes()
        except OSError:
            return None
        return content if Digest.of_bytes(content) == digest else None

    def _lock_file(self, digest: Digest) -> Path:
        return self._folder.with_name("locks") / f"{digest.hex}.lock"

    def _files(self, name: str) -> list[Path]:
        return sorted(self._folder.glob(f"*-{glob.escape(name)}-*.json"))


def _readable(files: Iterable[Path]) -> Iterator[tuple[Path, BuildRecord]]:
    for file in files:
        with suppress(OSError, ValidationError):
            yield file, BuildRecord.model_validate_json(file.read_bytes())
