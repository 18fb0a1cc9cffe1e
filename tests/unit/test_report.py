"""A report is gathered from what lies at hand, says plainly what is missing, and is written again byte by byte."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reprobuild.adapters.licence_texts import LicenceFiles
from reprobuild.adapters.record_store import FileRecordStore
from reprobuild.cli.page.report import report_page
from reprobuild.core.spec_parse import parse_spec, parse_toml
from reprobuild.domain.difference import Difference
from reprobuild.domain.digest import Digest
from reprobuild.domain.lock import Lock
from reprobuild.domain.record import BuildRecord, OutputRecord
from reprobuild.errors import NotAResultError, TrustFileError, UsageError
from reprobuild.services.artifact import read_manifest
from reprobuild.services.report import Report, ReportRequest, ReportService
from reprobuild.services.sbom import SbomService
from reprobuild.services.sign import sign

from .report_examples import DIFFERENCE, RUN, VERDICT, report
from .sbom_examples import PIN, SOURCES
from .signing_examples import KEYS, RULE, pem, write_files
from .spec_examples import SPEC

DIGEST = Digest.of_bytes(b"")


def write_result(folder: Path, weights: bytes = b"weights", spec: str = SPEC) -> str:
    """An artifact with its spec and lock; returns its id."""
    lock = Lock(inputs={}, systems={"x86_64-linux": PIN}, sources=SOURCES)
    files = {
        "weights.safetensors": weights,
        "metrics.json": b'{"accuracy": 0.975}',
        "spec.json": parse_spec(parse_toml(spec)).model_dump_json(by_alias=True).encode(),
        "reprobuild.lock": lock.to_text().encode(),
    }
    return read_manifest(write_files(folder, files)).artifact_id


def record(artifact_id: str | None, day: int, *outputs: OutputRecord) -> BuildRecord:
    return BuildRecord(
        model="digits",
        version="1.0.0",
        artifact_id=artifact_id,
        project="/home/me/digits",
        spec_digest=DIGEST,
        lock_digest=DIGEST,
        spec={},
        started=f"2026-11-{day:02}T10:00:00.000Z",
        finished=f"2026-11-{day:02}T10:01:00.000Z",
        status="built" if artifact_id else "failed",
        reprobuild_version="0",
        host={},
        outputs=outputs,
    )


class Desk:
    """A result, the records of this machine, and what was asked to be compared."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.result = folder, folder / "result"
        self.artifact_id = write_result(self.result)
        self.records = FileRecordStore(folder / "records")
        self.compared: list[tuple[str, str]] = []

    def diff(self, first: str, second: str, project: Path) -> Difference:
        self.compared.append((Path(first).name, Path(second).name))
        return DIFFERENCE

    def report(self, **options: object) -> Report:
        sbom = SbomService(LicenceFiles(), self.folder / "cache")
        service = ReportService(
            sbom, self.records.files_of_model, self.diff, datetime(2026, 11, 21, tzinfo=UTC)
        )
        return service.of(ReportRequest(self.result, **options))  # type: ignore[arg-type]

    def page(self, **options: object) -> str:
        return report_page(self.report(**options))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def risks(found: Report) -> dict[str, str]:
    """Area → what was said of it."""
    return {
        area: "; ".join(one.text for one in found.risks if one.area == area)
        for area in {one.area for one in found.risks}
    }


def test_of_an_artifact_alone_everything_else_is_an_open_question(desk: Desk) -> None:
    found = desk.report()
    assert set(risks(found)) == {"rebuild", "hardware", "vulnerabilities", "licences", "signatures"}
    assert not any(one.known for one in found.risks)
    page = report_page(found)
    for words in (
        "Not verified",
        "Nobody: there are no statements",
        "not looked for",
        "Nothing to compare with",
    ):
        assert words in page
    assert desk.artifact_id in page and "a citation" in page and "CC-BY-4.0" in page


def test_written_again_it_is_equal_also_after_the_same_was_built_once_more(desk: Desk) -> None:
    desk.records.write(record("digits-1.0.0-before", 1))
    desk.records.write(record(desk.artifact_id, 2, RUN))
    first = desk.page(why="a better rate")
    assert desk.page(why="a better rate") == first
    desk.records.write(record(desk.artifact_id, 3, RUN.model_copy(update={"duration_s": 5.0})))
    desk.records.write(record("digits-1.0.0-after", 4))
    assert desk.page(why="a better rate") == first
    assert "61.5 s" in first and "a better rate" in first


def test_it_is_compared_with_the_artifact_before_it_or_with_what_is_named(desk: Desk) -> None:
    desk.report()
    assert desk.compared == []
    desk.records.write(record("digits-1.0.0-first", 1))
    before = desk.records.write(record("digits-1.0.0-before", 2))
    desk.records.write(record(None, 3))
    desk.records.write(record(desk.artifact_id, 4))
    desk.records.write(record("digits-1.0.0-after", 5))
    assert risks(desk.report())["changes"] == "nobody said why it changed"
    assert "changes" not in risks(desk.report(why="asked for", since="v1.0"))
    assert desk.compared == [(before.name, "result"), ("v1.0", "result")]


def test_what_cannot_be_compared_by_itself_is_said_and_what_was_named_is_an_error(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(first: str, second: str, project: Path) -> Difference:
        raise UsageError("nothing in common")

    monkeypatch.setattr(desk, "diff", refuse)
    desk.records.write(record("digits-1.0.0-before", 1))
    desk.records.write(record(desk.artifact_id, 2))
    assert "nothing in common" in desk.page()
    with pytest.raises(UsageError, match="nothing in common"):
        desk.report(since="v1.0")


def test_a_stage_that_was_reused_is_shown_as_it_was_built(desk: Desk) -> None:
    elsewhere = RUN.model_copy(update={"builder": "big-machine"})
    desk.records.write(record("digits-1.0.0-before", 1, elsewhere))
    desk.records.write(record(desk.artifact_id, 2, RUN.model_copy(update={"status": "reused", "host": None})))
    assert "big-machine" in desk.page()
    other = Desk(desk.folder / "other")
    other.records.write(record(other.artifact_id, 2, RUN.model_copy(update={"status": "reused"})))
    assert "no record here says where it was built" in other.page()


def test_gpu_and_driver_are_shown_as_they_were_measured(desk: Desk) -> None:
    hardware = {"gpus": [{"name": "NVIDIA H100"}], "driver": {"version": "580.65.06"}}
    desk.records.write(record(desk.artifact_id, 1, RUN.model_copy(update={"hardware": hardware})))
    assert "A processor, 6.1, NVIDIA H100, driver 580.65.06" in desk.page()


def verdict(desk: Desk, artifact_id: str) -> Path:
    file = desk.folder / "verdict.json"
    file.write_text(VERDICT.model_copy(update={"artifact_id": artifact_id}).model_dump_json(by_alias=True))
    return file


def test_a_verdict_counts_for_the_artifact_that_it_is_about(desk: Desk) -> None:
    found = desk.report(verdict=verdict(desk, desk.artifact_id))
    assert "rebuild" not in risks(found) and "verdict" in found.origins
    with pytest.raises(UsageError, match="another artifact"):
        desk.report(verdict=verdict(desk, "digits-1.0.0-other"))
    for text in ("{}", "not JSON"):
        (desk.folder / "verdict.json").write_text(text)
        with pytest.raises(UsageError, match="not a verdict"):
            desk.report(verdict=desk.folder / "verdict.json")
    with pytest.raises(UsageError, match="not a verdict"):
        desk.report(verdict=desk.folder / "gone.json")


def trust(desk: Desk, names: Sequence[str] = ("alice",)) -> Path:
    lines = ['schema = "reprobuild.trust/1"']
    for name in names:
        algorithm = "ecdsa-p256" if name == "bob" else "ed25519"
        lines += [f"[keys.{name}]", f'algorithm = "{algorithm}"', f"public_key = {json.dumps(pem(name))}"]
    lines += ["[[rules]]", 'models = ["digits"]', f"predicates = {json.dumps(RULE['predicates'])}"]
    lines += [f"keys = {json.dumps(list(names))}", "threshold = 1"]
    file = desk.folder / "trust.toml"
    file.write_text("\n".join(lines))
    return file


def test_signatures_are_named_and_with_a_trust_file_checked(desk: Desk) -> None:
    sign(desk.result, KEYS["alice"])
    unchecked = desk.report()
    assert unchecked.signatures.statements[0].by == (KEYS["alice"].keyid,)
    assert "not checked" in risks(unchecked)["signatures"]
    assert f"keyid {KEYS['alice'].keyid}" in report_page(unchecked)
    checked = desk.report(trust=trust(desk))
    assert checked.signatures.statements[0].by == ("alice",) and "signatures" not in risks(checked)
    assert "holds" in report_page(checked)
    rejected = desk.report(trust=trust(desk, ("bob",)))
    assert "key-unknown" in risks(rejected)["signatures"] and "rejected" in report_page(rejected)
    assert str(desk.folder) not in report_page(rejected), "where files lie is nobody's business"
    (desk.result / "weights.safetensors").write_bytes(b"swapped")
    assert "weights-changed" in risks(desk.report(trust=trust(desk)))["signatures"]
    with pytest.raises(TrustFileError):
        desk.report(trust=desk.folder / "gone.toml")


def test_statements_on_another_artifact_are_none_of_this_one(desk: Desk) -> None:
    write_result(desk.folder / "other", b"other weights")
    sign(desk.folder / "other", KEYS["alice"])
    assert desk.report().signatures.statements == ()
    assert "other-artifact" in risks(desk.report(trust=trust(desk)))["signatures"]


def test_the_record_that_was_signed_comes_before_those_of_this_machine(desk: Desk) -> None:
    signed = record(desk.artifact_id, 3, RUN.model_copy(update={"duration_s": 99.0}))
    file = desk.folder / "signed.json"
    file.write_text(signed.model_dump_json(by_alias=True, exclude_none=True))
    desk.records.write(record(desk.artifact_id, 1, RUN))
    sign(desk.result, KEYS["alice"], record=file)
    found = desk.report()
    assert found.runs[0].duration_s == 99.0
    assert found.origins["build record"] == str(Digest.of_bytes(file.read_bytes()))


def test_what_is_not_as_it_was_built_is_a_finding(desk: Desk) -> None:
    (desk.result / "metrics.json").write_text('{"accuracy": 0.999}')
    (desk.result / "more").touch()
    found = [(one.text, one.known) for one in desk.report().risks if one.area == "files"]
    assert found == [
        ("more is extra: not as it was built", True),
        ("metrics.json is changed: not as it was built", True),
    ]
    assert "metrics.json is changed" in desk.page()


def test_with_a_trust_file_missing_statements_are_a_finding(desk: Desk) -> None:
    found = desk.report(trust=trust(desk))
    assert risks(found)["signatures"].startswith("statement-missing: no signed statements")
    assert all(one.known for one in found.risks if one.area == "signatures")
    assert "rejected" in report_page(found)


def test_advisories_are_among_what_the_page_was_made_from(desk: Desk) -> None:
    folder = desk.folder / "advisories"
    folder.mkdir()
    (folder / "one.json").write_text('{"id": "TEST-1", "affected": []}')
    first = desk.report(advisories=folder).origins["advisories"]
    (folder / "one.json").write_text('{"id": "TEST-2", "affected": []}')
    assert desk.report(advisories=folder).origins["advisories"] != first


def test_a_verdict_without_an_answer_is_not_a_difference(desk: Desk) -> None:
    file = verdict(desk, desk.artifact_id)
    fields = json.loads(file.read_text())
    fields["ok"] = False
    for level in fields["levels"]:
        level["holds"] = None
    file.write_text(json.dumps(fields))
    page = desk.page(verdict=file)
    assert "no answer" in page and "differs" not in page


def test_a_metric_that_is_no_number_was_not_measured(desk: Desk) -> None:
    (desk.result / "metrics.json").write_text('{"accuracy": "good"}')
    assert risks(desk.report())["metrics"] == "accuracy was not measured"
    assert "not measured" in desk.page()


def test_what_is_no_artifact_is_refused(desk: Desk) -> None:
    desk.result = desk.folder
    with pytest.raises(NotAResultError):
        desk.report()


def test_the_page_needs_nothing_else_and_escapes_what_it_shows(tmp_path: Path) -> None:
    found = report(tmp_path, full=True)
    page = report_page(found)
    assert not re.search(r"<script|url\((?!#)|@import|<img|<link|src=", page)
    assert re.findall(r'href="([^#"][^"]*)', page) == []
    assert "packages: &lt;unknown&gt;" in page and "<unknown>" not in page
    assert "Why: a better learning rate" in page and "18 lines more" in page and "key29" in page
    for part in found.bill.parts:
        assert part.name in page, "every part is listed"
