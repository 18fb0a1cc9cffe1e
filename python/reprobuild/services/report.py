"""Everything that people who decide about a model need to know, gathered from what lies on this machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from reprobuild.core.risks import (
    Risk,
    file_risks,
    licence_risks,
    machine_risks,
    metric_risks,
    signature_risks,
    verdict_risks,
    vulnerability_risks,
)
from reprobuild.core.sbom.advisories import Judgement, judge
from reprobuild.core.sbom.bill import Bill
from reprobuild.domain.difference import Difference
from reprobuild.domain.digest import Digest
from reprobuild.domain.nar import nar_of_folder
from reprobuild.domain.record import BuildRecord, OutputRecord
from reprobuild.domain.spec import Spec
from reprobuild.domain.verdict import Verdict
from reprobuild.errors import ReprobuildError, UsageError
from reprobuild.services.advisory_files import read_advisories
from reprobuild.services.artifact import MANIFEST_FILE, Artifact, read_artifact
from reprobuild.services.check_artifact import check_artifact
from reprobuild.services.sbom import SbomService
from reprobuild.services.signatures import Signatures, signatures
from reprobuild_verify.find import find_record

KeptRecord = tuple[Path, BuildRecord]


@dataclass(frozen=True)
class ReportRequest:
    """
    Args:
        result: link to an artifact, or its folder; statements are looked for beside it.
        since: what it is compared with, as `nix diff` takes it; None: the artifact before it, by the records.
        why: the reason of the change, in its owner's words.
    """

    result: Path
    project: Path = Path()
    verdict: Path | None = None
    trust: Path | None = None
    advisories: Path | None = None
    since: str | None = None
    why: str = ""


@dataclass(frozen=True)
class Change:
    """What changed since another artifact.

    Args:
        found: None: it could not be compared, or there is none before.
        problem: why not.
    """

    found: Difference | None = None
    problem: str = ""


@dataclass(frozen=True)
class Report:
    """
    Args:
        damage: file → how it is not as the manifest says.
        runs: of each stage and the model the build that made it; not `built` where no record knows that one.
        judged: None: no advisories were given.
        origins: what the report was made from → SHA-256 (SRI).
    """

    artifact: Artifact
    bill: Bill
    verdict: Verdict | None
    runs: tuple[OutputRecord, ...]
    signatures: Signatures
    change: Change
    why: str
    judged: Judgement | None
    origins: dict[str, str]
    damage: Mapping[str, str] = field(default_factory=dict)

    @property
    def spec(self) -> Spec:
        return self.bill.spec

    @property
    def metrics(self) -> dict[str, float]:
        """What was measured; anything else than a number is not a measurement."""
        found = self.artifact.metrics
        return {name: float(value) for name, value in found.items() if isinstance(value, int | float)}

    @property
    def risks(self) -> tuple[Risk, ...]:
        """What was found first, then what is not known."""
        signed, found = self.signatures, self.change.found
        unexplained = found is not None and not found.same and not self.why
        risks = [
            *file_risks(self.damage),
            *metric_risks(self.spec, self.metrics),
            *verdict_risks(self.verdict),
            *machine_risks(self.spec, self.runs),
            *vulnerability_risks(self.judged),
            *licence_risks(self.bill),
            *signature_risks(signed.statements, signed.problems),
            *([Risk("changes", False, "nobody said why it changed")] if unexplained else []),
        ]
        return tuple(sorted(risks, key=lambda one: not one.known))


@dataclass(frozen=True)
class ReportService:
    sbom: SbomService
    records: Callable[[str], Mapping[Path, BuildRecord]]  # of a model, oldest first
    diff: Callable[[str, str, Path], Difference]
    now: datetime

    def of(self, request: ReportRequest) -> Report:
        """
        Raises:
            NotAResultError: it is no artifact.
            UsageError: the verdict is none, or one on another artifact; nothing is named by `since`.
            TrustFileError, AdvisoryError: one of these files cannot be read.
        """
        artifact = read_artifact(request.result.resolve())
        bill = self.sbom.of(artifact.path).bill
        verdict = _verdict(request.verdict, artifact.artifact_id) if request.verdict else None
        judged = judge(bill, read_advisories(request.advisories)) if request.advisories else None
        signed = signatures(request.result, artifact.artifact_id, request.trust, self.now)
        kept = list(self.records(artifact.name).items())
        record = _signed_record(signed.file, artifact.artifact_id) or _first_record(
            kept, artifact.artifact_id
        )
        runs = _runs(record[1], [one for _, one in kept]) if record else ()
        given = {
            "manifest.json": artifact.path / MANIFEST_FILE,
            "build record": record[0] if record else None,
            "statements": signed.file,
            "verdict": request.verdict,
            "trust file": request.trust,
            "advisories": request.advisories,
        }
        return Report(
            artifact=artifact,
            bill=bill,
            verdict=verdict,
            runs=runs,
            signatures=signed,
            change=self._change(request, artifact, record, kept),
            why=request.why,
            judged=judged,
            origins={name: str(_digest(file)) for name, file in given.items() if file},
            damage={one.path: one.state for one in check_artifact(artifact.path).findings},
        )

    def _change(
        self,
        request: ReportRequest,
        artifact: Artifact,
        record: KeptRecord | None,
        kept: Sequence[KeptRecord],
    ) -> Change:
        if request.since is not None:
            return Change(self.diff(request.since, str(artifact.path), request.project))
        before = _record_before(record, kept)
        if before is None:
            return Change(problem="no record of an artifact of this model before it is on this machine")
        try:
            return Change(self.diff(str(before), str(artifact.path), request.project))
        except ReprobuildError as error:
            return Change(problem=f"cannot be compared with the artifact before it: {error.message}")


def _digest(place: Path) -> Digest:
    """Of a file's bytes; of a folder that of its NAR."""
    return nar_of_folder(place).digest if place.is_dir() else Digest.of_bytes(place.read_bytes())


def _verdict(file: Path, artifact_id: str) -> Verdict:
    try:
        found = Verdict.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise UsageError(
            f"--verdict {file}: not a verdict",
            expected="what `reprobuild verify --json` prints",
            actual=str(error).splitlines()[0],
            hint=f"reprobuild verify --json > {file}",
        ) from error
    if found.artifact_id != artifact_id:
        raise UsageError(
            f"--verdict {file}: it is about another artifact",
            expected=artifact_id,
            expected_from="the result",
            actual=found.artifact_id or "one that was not built",
            actual_from=str(file),
            hint="verify this result",
        )
    return found


def _signed_record(statements: Path | None, artifact_id: str) -> KeptRecord | None:
    """The copy of the record that was signed."""
    if statements is None:
        return None
    file = find_record(statements)
    try:
        record = BuildRecord.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return None
    return (file, record) if record.artifact_id == artifact_id else None


def _first_record(kept: Sequence[KeptRecord], artifact_id: str) -> KeptRecord | None:
    """The oldest one, so that a later build of the same changes nothing."""
    return next((one for one in kept if one[1].artifact_id == artifact_id), None)


def _record_before(record: KeptRecord | None, kept: Sequence[KeptRecord]) -> Path | None:
    """Of the newest other artifact of the model that was there before this one."""
    if record is None:
        return None
    _, mine = record
    before = [
        file
        for file, one in kept
        if one.artifact_id not in (None, mine.artifact_id) and one.finished < mine.finished
    ]
    return before[-1] if before else None


def _runs(record: BuildRecord, kept: Sequence[BuildRecord]) -> tuple[OutputRecord, ...]:
    """Outputs as they were built: one that was reused, as the oldest record has it that built these very bytes."""
    built = [run for one in kept for run in one.outputs if run.status == "built"]

    def first(run: OutputRecord) -> OutputRecord:
        same = (one for one in built if (one.drv_path, one.nar_hash) == (run.drv_path, run.nar_hash))
        return run if run.status == "built" else next(same, run)

    return tuple(map(first, record.outputs))
