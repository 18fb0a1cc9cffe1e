"""Sign an artifact: check it, say what it is, and write the statement beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from reprobuild.core.dsse import Signer, compact, signed_lines
from reprobuild.core.model_signing import bundle
from reprobuild.domain.digest import Digest
from reprobuild.domain.nar import nar_of_folder
from reprobuild.domain.record import BuildRecord
from reprobuild.domain.statement import ArtifactPredicate, ArtifactStatement, Subject, SubjectDigest
from reprobuild.errors import NotAResultError, UsageError
from reprobuild.services.artifact import MANIFEST_FILE, Manifest
from reprobuild.services.check_artifact import check_artifact
from reprobuild_verify.find import RECORD, STATEMENTS, STORE, beside

if TYPE_CHECKING:
    from reprobuild.domain.signing_key import SigningKey
    from reprobuild.ports import StoreSigner
    from reprobuild.services.keys import KeyService

BUNDLE_SUFFIX = ".model.sig"


@dataclass(frozen=True)
class Signed:
    artifact_id: str
    keyid: str
    files: tuple[Path, ...]  # written now


def sign(result: Path, signer: Signer, *, record: Path | None = None, folder: Path | None = None) -> Signed:
    """Write `ARTIFACT-ID.intoto.jsonl`, or add a signature to it; with a record also a copy of that.

    The statement follows from the artifact and the record alone, so that everybody who signs them signs the same bytes.

    Args:
        record: the build's; None: the one that was signed before, if it is beside the statements.
        folder: where to; by default beside the result's link; of a store path the working folder.
    Raises:
        NotAResultError: not an artifact, or its files are not as its manifest says.
        UsageError: the record is of another build, or none; or the file of statements is none.
    """
    manifest = whole_artifact(result)
    folder = place_for(result, folder)
    kept = folder / f"{manifest.artifact_id}{RECORD}"
    source = record or (kept if kept.exists() else None)
    written, record_sha256 = [], None
    if source is not None:
        data = source.read_bytes()
        check_record(data, source, manifest)
        record_sha256 = hashlib.sha256(data).hexdigest()
        written += [_write(kept, data)] if source != kept else []
    said = statement(manifest, nar_of_folder(manifest.path).digest, record_sha256)
    payload = compact(said.model_dump(mode="json", by_alias=True, exclude_none=True)).encode()
    target = folder / f"{manifest.artifact_id}{STATEMENTS}"
    written.append(add_signatures(target, [payload], [signer]))
    return Signed(manifest.artifact_id, signer.keyid, tuple(written))


def sign_model(result: Path, signer: Signer, public_pem: str, folder: Path | None = None) -> Signed:
    """Write `ARTIFACT-ID.model.sig`, a bundle of OpenSSF Model Signing.

    Raises:
        NotAResultError: as `sign`.
        SigningKeyError: a key that the specification does not have.
    """
    manifest = whole_artifact(result)
    text = bundle(manifest.artifact_id, file_digests(manifest), signer, public_pem)
    target = _write(place_for(result, folder) / f"{manifest.artifact_id}{BUNDLE_SUFFIX}", text.encode())
    return Signed(manifest.artifact_id, signer.keyid, (target,))


def sign_in_store(
    result: Path, keys: KeyService, key: SigningKey, word: bytes | None, nix: StoreSigner
) -> str:
    """Add Nix's own signature to the result's store path and what it refers to; returns that path.

    Raises:
        NotAResultError: as `sign`.
        UsageError: it does not lie in a store.
        SigningKeyError: a key that Nix does not have, or that cannot be opened.
    """
    path = whole_artifact(result).path
    if path.parent != STORE:
        raise UsageError(
            f"{result}: Nix signs what lies in its store",
            expected=f"a result link or a path in {STORE}",
            actual=str(path),
            hint="leave out --nix: a copied folder is signed by statements",
        )
    nix.sign(str(path), keys.nix_secret(key, word))
    return str(path)


def place_for(result: Path, folder: Path | None) -> Path:
    """The folder for what is signed: the named one, else that beside the result.

    Raises:
        UsageError: it lies in the artifact, which would then hold more than was signed.
    """
    place = folder or beside(result)
    if place.resolve().is_relative_to(result.resolve()):
        raise UsageError(
            f"{place}: a folder of the artifact itself, to which nothing may be added",
            expected="a folder outside of it",
            actual=str(place.resolve()),
            hint="name another one with --output",
        )
    return place


def file_digests(manifest: Manifest) -> dict[str, str]:
    """Path → SHA-256 (hex) of every file of an artifact, its manifest included; sorted."""
    found = {str(entry["path"]): Digest(entry["sha256"]).hex for entry in manifest.files}
    found[MANIFEST_FILE] = hashlib.sha256((manifest.path / MANIFEST_FILE).read_bytes()).hexdigest()
    return dict(sorted(found.items()))


def subjects(manifest: Manifest) -> tuple[Subject, ...]:
    """Every file of an artifact, as in-toto statements name them."""
    return tuple(
        Subject(name=name, digest=SubjectDigest(sha256=value))
        for name, value in file_digests(manifest).items()
    )


def statement(manifest: Manifest, nar_hash: Digest, record_sha256: str | None) -> ArtifactStatement:
    """What is said of an artifact (docs/formats/statement.md)."""
    return ArtifactStatement(
        subject=subjects(manifest),
        predicate=ArtifactPredicate(
            artifact_id=manifest.artifact_id,
            name=manifest.name,
            version=manifest.version,
            manifest_sha256=file_digests(manifest)[MANIFEST_FILE],
            nar_hash=nar_hash,
            record_sha256=record_sha256,
        ),
    )


def add_signatures(target: Path, payloads: Sequence[bytes], signers: Sequence[Signer]) -> Path:
    """Sign these statements, each in its line of the file; its other lines stay.

    Raises:
        UsageError: the file holds something else.
    """
    try:
        before = target.read_text(encoding="utf-8").split("\n") if target.exists() else []
        lines = [line for line in before if line.strip()]
        for payload in payloads:
            for signer in signers:
                lines = signed_lines(lines, payload, signer)
        data = "".join(f"{line}\n" for line in lines).encode()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{target} holds something else than signed statements", hint="move it away"
        ) from error
    return _write(target, data)


def whole_artifact(result: Path) -> Manifest:
    """
    Raises:
        NotAResultError: not an artifact, or its files are not as its manifest says.
    """
    checked = check_artifact(result.resolve())
    if not checked.ok:
        raise NotAResultError(
            f"{result}: not signed, its files are not as its manifest says",
            details=tuple(f"{one.path}: {one.state}" for one in checked.findings),
            hint="sign the result as it was built",
        )
    return checked.manifest


def check_record(data: bytes, file: Path, manifest: Manifest) -> BuildRecord:
    """
    Raises:
        UsageError: no build record, or one of another artifact.
    """
    try:
        record = BuildRecord.model_validate_json(data)
    except ValidationError as error:
        raise UsageError(f"{file} is not a build record", actual=str(error).splitlines()[0]) from error
    if record.artifact_id != manifest.artifact_id:
        raise UsageError(
            f"{file} is the record of another build",
            expected=manifest.artifact_id,
            expected_from=str(manifest.path),
            actual=record.artifact_id or "no artifact",
            actual_from=str(file),
        )
    return record


def _write(target: Path, data: bytes) -> Path:
    part = target.with_name(f".{target.name}.part")
    try:
        part.write_bytes(data)
        part.replace(target)
    except OSError as error:
        raise UsageError(
            f"{target} cannot be written", actual=error.strerror, hint="name a folder of yours with --output"
        ) from error
    return target
