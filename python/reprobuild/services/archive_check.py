"""Is an archive whole: every file as it was written, and every source of its lock in its cache?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from reprobuild.domain.archive import ARCHIVE_FILE, SUMS_FILE, ArchiveDocument, parse_sums
from reprobuild.domain.digest import Digest
from reprobuild.domain.lock import LOCK_FILE, Lock
from reprobuild.domain.narinfo import entry_name
from reprobuild.errors import UsageError
from reprobuild.services.archive import file_digests


@dataclass(frozen=True)
class ArchiveFinding:
    path: str
    state: Literal["missing", "extra", "changed"]
    detail: str = ""


@dataclass(frozen=True)
class ArchiveCheck:
    document: ArchiveDocument | None  # None: damaged
    digest: Digest  # of SHA256SUMS, and so of everything
    files: int
    findings: tuple[ArchiveFinding, ...]

    @property
    def ok(self) -> bool:
        return not self.findings


def check_archive(folder: Path) -> ArchiveCheck:
    """
    Raises:
        UsageError: there is no archive.
    """
    try:
        text = (folder / SUMS_FILE).read_bytes()
    except OSError:
        raise UsageError(
            f"{folder}: no archive",
            expected=f"a folder with {SUMS_FILE}",
            actual="none",
            hint="name the folder that `reprobuild archive` wrote",
        ) from None
    findings: list[ArchiveFinding] = []
    try:
        listed = parse_sums(text.decode())
    except ValueError as error:
        findings.append(ArchiveFinding(SUMS_FILE, "changed", str(error)))
        listed = {}
    found = file_digests(folder)
    for path in sorted(listed.keys() | found.keys() if listed else ()):
        expected, actual = listed.get(path), found.get(path)
        if actual is None:
            findings.append(ArchiveFinding(path, "missing"))
        elif expected is None:
            findings.append(ArchiveFinding(path, "extra"))
        elif expected != actual:
            findings.append(ArchiveFinding(path, "changed", f"expected {expected}, found {actual}"))
    document = _document(folder)
    if document is not None:
        findings += _links(folder, document)
        findings += _sources(folder, document.system)
    elif not any(finding.path == ARCHIVE_FILE for finding in findings):
        findings.append(ArchiveFinding(ARCHIVE_FILE, "changed", "of another format"))
    return ArchiveCheck(document, Digest.of_bytes(text), len(found) + 1, tuple(findings))


def _document(folder: Path) -> ArchiveDocument | None:
    try:
        return ArchiveDocument.model_validate_json((folder / ARCHIVE_FILE).read_bytes())
    except (OSError, ValidationError):
        return None


def _links(folder: Path, document: ArchiveDocument) -> list[ArchiveFinding]:
    wrong = []
    for name, target in document.links.items():
        place = folder / "project" / name
        if not place.is_symlink():
            wrong.append(ArchiveFinding(f"project/{name}", "missing", f"a link to {target}"))
        elif str(place.readlink()) != target:
            wrong.append(
                ArchiveFinding(
                    f"project/{name}", "changed", f"expected a link to {target}, found {place.readlink()}"
                )
            )
    return wrong


def _sources(folder: Path, system: str) -> list[ArchiveFinding]:
    """A file of the cache that is listed and there is whole; this says whether all that are needed are listed."""
    try:
        lock = Lock.model_validate_json((folder / "project" / LOCK_FILE).read_bytes())
    except (OSError, ValidationError):
        return []  # its digest says so
    names = {f"cache/{entry_name(source.store_path)}": source for source in lock.for_system(system)}
    return [
        ArchiveFinding(name, "missing", source.subject)
        for name, source in names.items()
        if not (folder / name).is_file()
    ]
