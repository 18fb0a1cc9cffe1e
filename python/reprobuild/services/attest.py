"""Attest an artifact: how it was built, from what, on what, how good it is, and what is in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from reprobuild.core.attestation.closure import Outside, outside
from reprobuild.core.attestation.hardware import attribute_report
from reprobuild.core.attestation.provenance import provenance
from reprobuild.core.attestation.test_result import test_result
from reprobuild.core.dsse import Signer, compact
from reprobuild.core.sbom.cyclonedx import cyclonedx
from reprobuild.domain.attestation import (
    AttributeStatement,
    BomStatement,
    ProvenanceStatement,
    Resource,
    Statement,
    TestResultStatement,
)
from reprobuild.domain.digest import Digest
from reprobuild.domain.drv import DrvFile
from reprobuild.domain.lock import LOCK_FILE
from reprobuild.domain.nar import nar_of_folder
from reprobuild.domain.record import BuildRecord
from reprobuild.domain.verdict import Verdict
from reprobuild.errors import NotAResultError, UsageError
from reprobuild.ports import RecordStore
from reprobuild.services.artifact import Artifact, Manifest, read_artifact
from reprobuild.services.checklist import read_checklist
from reprobuild.services.project import parse_lock
from reprobuild.services.sbom import SbomService
from reprobuild.services.sign import add_signatures, check_record, place_for, subjects, whole_artifact
from reprobuild_verify.find import RECORD, STATEMENTS, beside


@dataclass(frozen=True)
class Attested:
    artifact_id: str
    record: Path  # that it was said by
    statements: tuple[Statement, ...]
    gaps: tuple[str, ...]  # what could not be said, and why

    @property
    def payloads(self) -> tuple[bytes, ...]:
        """What is signed: one statement each, canonical."""
        return tuple(
            compact(one.model_dump(mode="json", by_alias=True, exclude_none=True)).encode()
            for one in self.statements
        )


@dataclass(frozen=True)
class AttestService:
    records: RecordStore
    sbom: SbomService
    read_drv: Callable[[str], DrvFile]

    def statements(
        self,
        result: Path,
        *,
        record: Path | None = None,
        verdict: Path | None = None,
        checklist: Path | None = None,
    ) -> Attested:
        """What there is to say of a result; follows from the artifact and these files alone.

        Args:
            record: of the build; None: the one beside the result, else this machine's.
            verdict: what `reprobuild verify --json` printed.
            checklist: what people checked; it goes into the bill of materials.
        Raises:
            NotAResultError: not an artifact, or its files or inputs are not as they were built.
            UsageError: there is no record, or one of the files is none, or of something else.
        """
        manifest = whole_artifact(result)
        artifact = read_artifact(manifest.path)
        file = record or self._record_file(result, manifest)
        data = file.read_bytes()
        known, record_digest = check_record(data, file, manifest), Digest.of_bytes(data)
        lock_text = (artifact.path / LOCK_FILE).read_text("utf-8")
        taken_in = self._taken_in(known, file)
        bill = self.sbom.of(artifact.path)
        about = subjects(manifest)
        made: list[Statement] = [
            ProvenanceStatement(
                subject=about,
                predicate=provenance(
                    known,
                    record_digest,
                    spec=artifact.spec,
                    lock_digest=Digest.of_bytes(lock_text.encode()),
                    taken_in=taken_in,
                    pins=parse_lock(lock_text, str(artifact.path / LOCK_FILE)).sources,
                    source_digests=_nar_digests(taken_in.sources),
                ),
            )
        ]
        gaps = list(bill.gaps)
        judged = _read_verdict(verdict, manifest) if verdict else None
        configuration = _configuration(artifact)
        if verdict and judged:
            said = {"demanded": judged.demanded, "rebuilt": judged.against is None}
            configuration.append(_file(verdict, said))
        tested = test_result(artifact.spec, artifact.metrics, tuple(configuration), judged)
        if tested is not None:
            made.append(TestResultStatement(subject=about, predicate=tested))
        else:
            gaps.append("no test result: no metric has a goal, and there is no verdict")
        measured = attribute_report(known, record_digest)
        if measured is not None:
            made.append(AttributeStatement(subject=about, predicate=measured))
        else:
            gaps.append(f"no hardware: the build of {file} ran no stage")
        checked = read_checklist(checklist, artifact) if checklist else None
        made.append(BomStatement(subject=about, predicate=cyclonedx(bill.bill, "1.6", checklist=checked)))
        return Attested(manifest.artifact_id, file, tuple(made), tuple(gaps))

    def _record_file(self, result: Path, manifest: Manifest) -> Path:
        """Beside the result, else of this machine's records the one that built most of it, the oldest of these."""
        kept = beside(result) / f"{manifest.artifact_id}{RECORD}"
        if kept.exists():
            return kept
        found = self.records.files_of_version(manifest.name, manifest.version)
        fitting = {file: one for file, one in found.items() if one.artifact_id == manifest.artifact_id}
        if not fitting:
            raise UsageError(
                f"{result}: no build record of it is at hand",
                expected=f"{kept}, or a record of {manifest.artifact_id} on this machine",
                actual="neither",
                hint="name the record with --record",
            )
        return max(fitting, key=lambda file: sum(out.status == "built" for out in fitting[file].outputs))

    def _taken_in(self, record: BuildRecord, file: Path) -> Outside:
        model = next((one.drv_path for one in record.outputs if one.label == "model"), None)
        if model is None:
            raise UsageError(f"{file}: it has no derivation of the model")
        try:
            return outside(model, self.read_drv)
        except OSError as error:
            raise NotAResultError(
                "what it was built from is not known here",
                expected=f"the derivation {model} and its inputs in the store",
                expected_from=str(file),
                actual=f"{error.filename}: {error.strerror}",
                hint="attest on the machine that built it, or evaluate the project here with `reprobuild nix eval`",
            ) from error


def sign_statements(
    result: Path, attested: Attested, signers: Sequence[Signer], folder: Path | None = None
) -> Path:
    """Add the statements to `ARTIFACT-ID.intoto.jsonl`, where `sign` writes, too."""
    target = place_for(result, folder) / f"{attested.artifact_id}{STATEMENTS}"
    return add_signatures(target, attested.payloads, signers)


def _nar_digests(paths: Sequence[str]) -> Mapping[str, Digest]:
    """Computed here, not asked for."""
    try:
        return {path: nar_of_folder(Path(path)).digest for path in paths}
    except OSError as error:
        raise NotAResultError(
            "a source of the build is gone from the store here",
            actual=f"{error.filename}: {error.strerror}",
            hint="evaluate the project here with `reprobuild nix eval`",
        ) from error


def _configuration(artifact: Artifact) -> list[Resource]:
    goals = {
        name: {bound: metric[bound] for bound in ("minimum", "maximum") if metric.get(bound) is not None}
        for name, metric in artifact.spec.get("metrics", {}).items()
    }
    return [
        _file(artifact.path / "spec.json", {"goals": goals}),
        _file(artifact.path / "metrics.json", {"metrics": artifact.metrics}),
    ]


def _file(file: Path, annotations: dict[str, Any]) -> Resource:
    return Resource(
        name=file.name,
        digest={"sha256": Digest.of_bytes(file.read_bytes()).hex},
        media_type="application/json",
        annotations=annotations,
    )


def _read_verdict(file: Path, manifest: Manifest) -> Verdict:
    try:
        verdict = Verdict.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise UsageError(
            f"{file} is not a verdict",
            expected="what `reprobuild verify --json` prints",
            actual=str(error).splitlines()[0],
        ) from error
    if verdict.artifact_id != manifest.artifact_id:
        raise UsageError(
            f"{file} is the verdict on another artifact",
            expected=manifest.artifact_id,
            expected_from=str(manifest.path),
            actual=verdict.artifact_id or "no artifact",
            actual_from=str(file),
        )
    return verdict
