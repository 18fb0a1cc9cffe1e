"""What is known of a model without building it: a project, a git revision, a lock, a result, a record, a store path."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from reprobuild.domain.difference import SideKind
from reprobuild.domain.digest import Digest
from reprobuild.domain.lock import LOCK_FILE, LOCK_SCHEMA, Lock
from reprobuild.domain.record import RECORD_SCHEMA
from reprobuild.domain.spec import SPEC_FILE, Spec
from reprobuild.domain.statement import ArtifactStatement
from reprobuild.domain.store import PathInfo
from reprobuild.errors import LockFormatError, LockMissingError, ReprobuildError, UsageError
from reprobuild.services.artifact import MANIFEST_FILE, read_manifest
from reprobuild.services.project import Project, open_project, parse_lock, read_lock
from reprobuild.services.project_code import project_code, tree
from reprobuild.services.side import STORE, Output, Side, Sides, read_record, schema_of
from reprobuild_verify.find import STATEMENTS, find_record

if TYPE_CHECKING:
    from reprobuild.services.trusted import Signers

OUTPUT = "output"  # label of a store path that is no artifact


@dataclass(frozen=True)
class Snapshot:
    """
    Args:
        code: path in the project → content; None: not at hand.
        data_folder: the project's, where data files lie as the lock names them.
        closure: of a store path that is no artifact.
        signed_files: of a statement: file of the artifact → SHA-256 (SRI), `manifest.json` left out.
        signed_by: of a statement: names of trusted keys; None: not checked.
        gaps: what is not known, and why.
    """

    side: Side
    kind: SideKind
    lock: Lock | None = None
    code: Mapping[str, bytes] | None = None
    data_folder: Path | None = None
    closure: Sequence[PathInfo] | None = None
    gaps: tuple[str, ...] = ()
    signed_files: Mapping[str, str] | None = None
    signed_by: tuple[str, ...] | None = None

    def file_hashes(self) -> dict[str, str]:
        """File of the artifact → SHA-256 (SRI), `manifest.json` left out; empty where nothing tells."""
        if self.signed_files is not None or self.artifact is None:
            return dict(self.signed_files or {})
        return dict(self._files)

    @cached_property
    def _files(self) -> Mapping[str, str]:
        """By the manifest what Nix guards; what was copied elsewhere may have changed since, and is read."""
        folder = self.artifact
        if folder is not None and not str(folder).startswith(STORE):
            return _hashed(folder)
        return {file["path"]: file["sha256"] for file in read_manifest(folder).files} if folder else {}

    @property
    def artifact(self) -> Path | None:
        """The artifact's folder, where it is at hand."""
        model = self.side.outputs.get("model")
        return model.path if model else None


@dataclass(frozen=True)
class Snapshots:
    """Opens what people name; temporary folders live as long as `cleanup`.

    Args:
        signers: who signed a statement, by a trust file; None: nobody asks.
    """

    sides: Sides
    closure: Callable[[str], Sequence[PathInfo]]
    deriver: Callable[[str], str | None]
    signers: Signers | None = None

    def named(self, text: str, project: Path, cleanup: ExitStack) -> Snapshot:
        """
        Args:
            project: the folder whose revisions are meant.
        Raises:
            UsageError: nothing of the kind.
        """
        path = Path(text)
        if (path / MANIFEST_FILE).is_file():
            return self._result(path.resolve())
        if (path / SPEC_FILE).is_file():
            return self._project(open_project(path), str(path.resolve()), "project")
        if path.is_file() and schema_of(path) == RECORD_SCHEMA:
            return self._record(path)
        if path.is_file() and path.name.endswith(STATEMENTS):
            return self._statement(path)
        if path.is_file() and (path.name == LOCK_FILE or schema_of(path) == LOCK_SCHEMA):
            return Snapshot(Side(str(path), {}), "lock", parse_lock(path.read_bytes(), str(path)))
        if path.exists() and str(path.resolve()).startswith(STORE):
            return self._store_path(str(path.resolve()))
        if path.exists() or path.is_symlink() or text.startswith(STORE):
            raise UsageError(
                f"{text}: cannot compare this",
                expected="a project, a git revision, a lock, a result, a build record, a statement or a store path",
                actual="something else" if path.exists() else f"{path.resolve()}, which is not here",
                hint=f"a revision of this name is written `heads/{text}` or `tags/{text}`"
                if path.is_dir() and not text.startswith(("/", "."))
                else "name one of these, or where it lies now",
            )
        return self._revision(text, project, cleanup)

    def _project(self, project: Project, named: str, kind: SideKind) -> Snapshot:
        gaps, lock = [], None
        side = Side(named, {}, spec=project.spec)
        try:
            lock = read_lock(project)
            side = self.sides.of_instantiation(project, self.sides.build.instantiate(project), named)
        except (LockMissingError, LockFormatError) as error:
            gaps.append(f"{named}: no lock: {error.message}")
        except ReprobuildError as error:
            gaps.append(f"{named}: derivations are not known: {error.message}")
        return Snapshot(side, kind, lock, project_code(project), project.path, gaps=tuple(gaps))

    def _revision(self, revision: str, project: Path, cleanup: ExitStack) -> Snapshot:
        folder = Path(cleanup.enter_context(TemporaryDirectory(prefix="reprobuild-revision-")))
        try:
            commit = self.sides.export(project, revision, folder)
        except UsageError as error:
            raise UsageError(
                f"{revision}: nothing of this name",
                expected="a project, a git revision, a lock, a result, a build record, a statement or a store path",
                actual=error.actual,
                hint="for a revision name the project with --project",
            ) from error
        if not (folder / SPEC_FILE).is_file():
            raise UsageError(
                f"{revision} ({commit[:12]}): {project.resolve()} is no project there",
                expected=f"{SPEC_FILE} in that folder",
                actual="none at this revision",
                hint="name the project's folder with --project, or a later revision",
            )
        return self._project(open_project(folder), f"{revision} ({commit[:12]})", "revision")

    def _result(self, path: Path) -> Snapshot:
        side = self.sides.of_result(path)
        if side.outputs["model"].drv_path is None and str(path).startswith(STORE):
            with suppress(
                ReprobuildError
            ):  # without Nix, or in no store of this machine: it is listed as a gap
                model = replace(side.outputs["model"], drv_path=self.deriver(str(path)))
                side = replace(side, outputs={"model": model})
        gaps = () if side.outputs["model"].drv_path else (f"{path}: its derivation is not known here",)
        return Snapshot(side, "result", _artifact_lock(path), tree(path / "source"), gaps=gaps)

    def _record(self, file: Path) -> Snapshot:
        side = self.sides.of_record(file)
        model = side.outputs.get("model")
        if model is not None and model.path is not None:
            return Snapshot(side, "record", _artifact_lock(model.path), tree(model.path / "source"))
        record = read_record(file)
        kept = self.sides.records.lock(record.lock_digest)
        lock = parse_lock(kept) if kept else _lock_of_digest(Path(record.project), record.lock_digest)
        gaps = [f"{side.named}: its code is not at hand: the artifact is not in the store here"]
        if lock is None:
            gaps.append(
                f"{side.named}: its lock is not at hand: it was not kept, and {record.project} has another one"
            )
        return Snapshot(side, "record", lock, gaps=tuple(gaps))

    def _statement(self, file: Path) -> Snapshot:
        """What a statement says, and the build record beside it if that is the signed one."""
        line, said = signed_statement(file)
        signed_by = self.signers(line, file) if self.signers else None
        predicate = said.predicate
        files = {one.name: str(Digest(one.digest.sha256)) for one in said.subject}
        files.pop(MANIFEST_FILE, None)
        record = find_record(file)
        gaps = () if self.signers else (f"{file}: its signatures were not checked: --trust FILE checks them",)
        outputs = {"model": Output(nar_hash=predicate.nar_hash)}
        known = Snapshot(Side(str(file), outputs, artifact_id=predicate.artifact_id), "statement")
        if record.is_file() and Digest.of_bytes(record.read_bytes()).hex == predicate.record_sha256:
            known = self._record(record)
        return replace(
            known, kind="statement", gaps=(*known.gaps, *gaps), signed_files=files, signed_by=signed_by
        )

    def _store_path(self, path: str) -> Snapshot:
        whole = STORE + path.removeprefix(STORE).partition("/")[0]
        if path != whole:  # Nix would answer for the whole output
            raise UsageError(
                f"{path}: cannot compare this",
                expected="a whole output",
                actual="something inside one",
                hint=f"name the output: {whole}",
            )
        if path.endswith(".drv"):
            return Snapshot(Side(path, {OUTPUT: Output(path)}), "store path")
        closure = self.closure(path)
        drv = next((one.deriver for one in closure if one.path == path), None)
        there = drv is not None and Path(drv).exists()
        gaps = () if there else (f"{path}: its derivation is not in the store here",)
        side = Side(path, {OUTPUT: Output(drv if there else None)})
        return Snapshot(side, "store path", closure=closure, gaps=gaps)


def _hashed(folder: Path) -> Mapping[str, str]:
    """File of the folder → SHA-256 (SRI) of its content, `manifest.json` left out."""
    found = {}
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        if file.is_file() and name != MANIFEST_FILE:
            with file.open("rb") as stream:
                found[name] = str(Digest.of_chunks(iter(lambda: stream.read(1 << 20), b"")))
    return found


def signed_statement(file: Path) -> tuple[bytes, ArtifactStatement]:
    """The first statement on an artifact in a file of envelopes, with its envelope; no signature is checked.

    Raises:
        UsageError: there is none.
    """
    for line in file.read_bytes().splitlines():
        with suppress(ValueError, KeyError, TypeError):
            return line, ArtifactStatement.model_validate_json(base64.b64decode(json.loads(line)["payload"]))
    raise UsageError(
        f"{file}: it holds no statement on an artifact",
        expected="a file that `reprobuild sign` wrote",
        hint="name the result itself",
    )


def _artifact_lock(artifact: Path) -> Lock | None:
    file = artifact / LOCK_FILE
    return parse_lock(file.read_bytes(), str(file)) if file.is_file() else None


def _lock_of_digest(project: Path, digest: Digest) -> Lock | None:
    """The project's lock, if it is the very one that was built from."""
    try:
        content = (project / LOCK_FILE).read_bytes()
    except OSError:
        return None
    return parse_lock(content) if Digest.of_bytes(content) == digest else None


def system_of(snapshot: Snapshot) -> str:
    """The system that a model is for; of a lock alone, the first one that it has."""
    spec: Spec | None = snapshot.side.spec
    if spec is not None:
        return spec.hardware.system
    return min(snapshot.lock.systems, default="") if snapshot.lock else ""
