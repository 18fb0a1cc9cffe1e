"""What builds are known, and what each was made of: out of records, artifacts and projects, without Nix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reprobuild.core.composition import Composition, compose, own_parts, pinned_parts
from reprobuild.core.lineage import Build
from reprobuild.core.part_query import PartQuery
from reprobuild.core.spec_parse import parse_spec
from reprobuild.domain.digest import Digest
from reprobuild.domain.lineage import NotKnown, Part
from reprobuild.domain.lock import LOCK_FILE, Lock
from reprobuild.domain.record import RECORD_SCHEMA, BuildRecord, OutputRecord
from reprobuild.errors import LockFormatError, NotAResultError, SpecError
from reprobuild.ports import RecordStore
from reprobuild.services.artifact import Artifact, read_artifact
from reprobuild.services.project import Project, parse_lock, require_fresh_lock
from reprobuild.services.project_code import project_code

_CODE = "source/"  # folder of an artifact


class UnreadableBuildError(NotAResultError):
    """A build of which it turns out, once it is looked at, that its spec is not one of this release."""

    def __init__(self, found: NotKnown) -> None:
        super().__init__(
            f"{found.build}: what it was built from is not known",
            actual=found.reason,
            hint="ask the release that wrote it",
        )
        self.found = found


@dataclass(frozen=True)
class _Locked:
    """What one lock pins; many builds share it."""

    lock: Lock
    parts: Mapping[str, Mapping[str, Part]]  # system → node → part
    answers: dict[PartQuery, frozenset[str]] = field(default_factory=dict)

    def meant(self, query: PartQuery) -> frozenset[str]:
        """Nodes, of any system."""
        if query not in self.answers:
            every = (part for parts in self.parts.values() for part in parts.values())
            self.answers[query] = frozenset(part.node for part in every if query.matches(part))
        return self.answers[query]


@dataclass(frozen=True)
class KnownBuilds:
    """Reads builds; each lock once."""

    records: RecordStore
    _locks: dict[Digest, _Locked | None] = field(default_factory=dict)

    def all(self) -> tuple[list[Build], list[NotKnown]]:
        """All builds that this machine has a record of, oldest first; of the others those that made something."""
        builds: list[Build] = []
        unknown: list[NotKnown] = []
        for file, record in self.records.all():
            if record is None:
                unknown.append(
                    NotKnown(build=file.name, model=None, reason="no record that this release reads")
                )
            elif isinstance(found := self.of_record(record, file.name), Build):
                builds.append(found)
            elif any(output.nar_hash is not None for output in record.outputs):
                unknown.append(found)
        return builds, unknown

    def of_record(self, record: BuildRecord, named: str) -> Build | NotKnown:
        """
        Args:
            named: the record's file name.
        """
        title = f"{record.model} {record.version}"
        locked = self._lock(record.lock_digest)
        artifact = _artifact_of(record) if locked is None or record.files is None else None
        if locked is None and artifact is not None:
            with suppress(NotAResultError):
                locked = _lock_in(artifact)
        if locked is None:
            reason = "its lock was not kept, and its artifact is not in the store here"
            return NotKnown(build=named, model=title, reason=reason)
        files = record.files or (_files_of(artifact) if artifact else {})
        return _build(named, title, record, record.spec, locked, files, _outputs(record))

    def _lock(self, digest: Digest) -> _Locked | None:
        if digest not in self._locks:
            content = self.records.lock(digest)
            self._locks[digest] = _locked(content.decode(), f"lock {digest}") if content else None
        return self._locks[digest]


def is_record(file: Path) -> bool:
    """By its beginning alone: what people name may be a data file of any size."""
    if not file.is_file():
        return False
    with file.open("rb") as stream:
        return RECORD_SCHEMA.encode() in stream.read(256)


def build_of_artifact(path: Path) -> Build:
    """An artifact by itself, wherever it was built.

    Raises:
        NotAResultError: it is none, or has no readable lock or spec.
    """
    artifact = read_artifact(path.resolve())
    model = Part(
        node=f"model {artifact.name} {artifact.version}",
        kind="model",
        name=artifact.name,
        version=artifact.version,
        store_path=str(artifact.path),
        artifact_id=artifact.artifact_id,
    )
    title = f"{artifact.name} {artifact.version}"
    locked, files = _lock_in(artifact), _files_of(artifact)
    return _build(str(artifact.path), title, None, artifact.spec, locked, files, [model])


def composition_of_project(project: Project) -> Composition:
    """
    Raises:
        LockMissingError, LockFormatError, LockStaleError.
    """
    lock = require_fresh_lock(project)
    code = {file: Digest.of_bytes(content) for file, content in project_code(project).items()}
    sources = lock.for_system(project.spec.hardware.system)
    return compose(project.spec, sources, pinned_parts(sources), own_parts(project.spec, code))


def _build(
    named: str,
    title: str,
    record: BuildRecord | None,
    spec: Mapping[str, Any],
    locked: _Locked,
    files: Mapping[str, Digest],
    outputs: Sequence[Part],
) -> Build:
    commit = record.commit if record else None

    def may_make(query: PartQuery) -> bool:
        """By names and digests alone, with some that are none: each name of a part holds its own name."""
        if not query.digests.isdisjoint(files.values()) or any(map(query.matches, outputs)):
            return True
        names = (*spec.get("stages", ()), *files, title.partition(" ")[0])
        named = query.word is not None and any(name.removeprefix(_CODE) in query.word for name in names)
        return named or bool(commit and query.commit and commit.startswith(query.commit))

    def composed() -> Composition:
        try:
            read = parse_spec(dict(spec), named)
        except SpecError as error:
            reason = f"its spec is not one of this release: {error.message}"
            raise UnreadableBuildError(NotKnown(build=named, model=title, reason=reason)) from error
        code = {path.removeprefix(_CODE): digest for path, digest in files.items() if path.startswith(_CODE)}
        others = {path: digest for path, digest in files.items() if not path.startswith(_CODE)}
        system = read.hardware.system
        own = own_parts(read, code, commit, {part.node: part for part in outputs})
        return compose(read, locked.lock.for_system(system), locked.parts.get(system, {}), own, others)

    return Build(named, title, record, locked.meant, may_make, composed)


def _outputs(record: BuildRecord) -> list[Part]:
    """What a build made, or found made."""
    return [_output(record, one) for one in record.outputs if one.nar_hash is not None]


def _output(record: BuildRecord, output: OutputRecord) -> Part:
    known = {
        "nar_hash": output.nar_hash,
        "size_bytes": output.nar_size_bytes,
        "store_path": output.out_path,
        "drv_path": output.drv_path,
    }
    if output.label != "model":
        return Part(node=f"stage {output.label}", kind="stage", name=output.label, **known)
    return Part(
        node=f"model {record.model} {record.version}",
        kind="model",
        name=record.model,
        version=record.version,
        artifact_id=record.artifact_id,
        **known,
    )


def _artifact_of(record: BuildRecord) -> Artifact | None:
    """The artifact that a record tells of, if it is still there."""
    for output in record.outputs:
        if output.label == "model":
            with suppress(NotAResultError):
                artifact = read_artifact(Path(output.out_path))
                return artifact if artifact.artifact_id == record.artifact_id else None
    return None


def _files_of(artifact: Artifact) -> dict[str, Digest]:
    return {file["path"]: Digest(file["sha256"]) for file in artifact.files}


def _lock_in(artifact: Artifact) -> _Locked:
    """
    Raises:
        NotAResultError: it has no readable lock.
    """
    file = artifact.path / LOCK_FILE
    try:
        found = _locked(file.read_text("utf-8"), str(file))
    except (OSError, UnicodeDecodeError):
        found = None
    if found is None:
        raise NotAResultError(
            f"{artifact.path} has no readable {LOCK_FILE}",
            expected="the lock as built",
            hint="build it again with `reprobuild nix build`",
        )
    return found


def _locked(text: str, origin: str) -> _Locked | None:
    with suppress(LockFormatError):
        lock = parse_lock(text, origin)
        return _Locked(lock, {system: pinned_parts(lock.for_system(system)) for system in lock.systems})
    return None
