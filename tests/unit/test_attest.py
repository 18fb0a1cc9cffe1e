"""What is attested of an artifact: complete, the same twice, and readable by those who made the formats."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from google.protobuf import json_format
from in_toto_attestation.predicates.scai.v0 import scai_pb2
from in_toto_attestation.predicates.scai.v0.scai import AttributeAssertion
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement

from reprobuild.core.schemas import attestation_schema
from reprobuild.domain import attestation
from reprobuild.domain.digest import Digest
from reprobuild.domain.nar import nar_of_folder
from reprobuild.domain.verdict import LevelVerdict, Verdict
from reprobuild.errors import NotAResultError, UsageError
from reprobuild.services.attest import sign_statements
from reprobuild_verify.check import verify
from reprobuild_verify.trust import read_trust

from .attestation_examples import HARDWARE, HOST, NUMERICS, PARSERS, PINS, SEED, BuiltArtifact
from .signing_examples import KEYS, NOW

GOLDEN = Path(__file__).parents[1] / "golden/attestations"


@pytest.fixture
def built(tmp_path: Path) -> BuiltArtifact:
    return BuiltArtifact(tmp_path)


def dependencies(built: BuiltArtifact) -> dict[str, dict[str, Any]]:
    """Store path → resolved dependency."""
    found = built.said()[attestation.PROVENANCE]["predicate"]["buildDefinition"]["resolvedDependencies"]
    return {one["annotations"]["storePath"]: one for one in found}


def test_all_four_are_read_by_in_toto_s_own_package(built: BuiltArtifact) -> None:
    said = built.said()
    assert tuple(said) == attestation.PREDICATES
    for kind, one in said.items():
        statement = Statement.copy_from_pb(json_format.ParseDict(one, statement_pb2.Statement()))
        statement.validate()
        assert [subject.name for subject in statement.pb.subject] == sorted(
            str(file.relative_to(built.result)) for file in built.result.rglob("*")
        )
        if kind in PARSERS:  # strict: an unknown key is an error
            json_format.ParseDict(one["predicate"], PARSERS[kind]())
    report = json_format.ParseDict(said[attestation.SCAI]["predicate"], scai_pb2.AttributeReport())
    for attribute in report.attributes:
        AttributeAssertion.copy_from_pb(attribute).validate()


def test_the_bill_of_materials_is_valid_cyclonedx(built: BuiltArtifact) -> None:
    document = json.dumps(built.said()[attestation.CYCLONEDX]["predicate"])
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(document) is None


def test_they_pass_the_published_schema(built: BuiltArtifact) -> None:
    for one in built.said().values():
        jsonschema.Draft202012Validator(attestation_schema()).validate(one)


def test_what_an_older_release_attested_still_verifies(tmp_path: Path) -> None:
    (statements,) = GOLDEN.glob("*.intoto.jsonl")
    trust = read_trust(GOLDEN / "trust.toml")
    report = verify(GOLDEN / "artifact", statements, trust, now=NOW)
    assert report.ok and len(report.statements) == 5
    (tmp_path / statements.name).write_text("".join(statements.read_text().splitlines(keepends=True)[:-1]))
    report = verify(GOLDEN / "artifact", tmp_path / statements.name, trust, now=NOW)
    assert [one.slug for one in report.problems] == ["predicate-missing"]


def test_the_same_build_gives_the_same_bytes(built: BuiltArtifact, tmp_path: Path) -> None:
    once = built.attest().payloads
    copy = tmp_path / "elsewhere.json"
    copy.write_bytes(built.record_file.read_bytes())
    assert built.attest(record=copy).payloads == once


def test_everything_taken_in_is_a_resolved_dependency(built: BuiltArtifact) -> None:
    found = dependencies(built)
    fixed = {path for one in built.drvs.values() if one.fixed_hashes for path in one.outputs.values()}
    code = next(built.folder.glob("*-train-code"))
    assert found.keys() == fixed | {str(code)}
    for pin in PINS:
        assert found[pin.store_path]["digest"] == {"sha256": pin.sha256.hex}
    assert found[str(code)]["digest"] == {"sha256": nar_of_folder(code).digest.hex}
    assert found[str(code)]["mediaType"] == attestation.NAR
    unknown = next(one for one in found.values() if one["name"] == "bootstrap.tar.xz")
    assert unknown == {
        "name": "bootstrap.tar.xz",
        "digest": {"sha512": "ab" * 64},
        "annotations": {"storePath": unknown["annotations"]["storePath"]},
    }


def test_a_dependency_is_named_as_others_name_it(built: BuiltArtifact) -> None:
    found = dependencies(built)
    names = {one["name"]: one.get("uri") for one in found.values()}
    assert names["deb libc6 2.36-9+deb12u14"].startswith("pkg:deb/debian/libc6@2.36-9%2Bdeb12u14?")
    assert names["wheel mpmath 1.3.0"].startswith("pkg:pypi/mpmath@1.3.0?")
    assert names["data rows"] is None
    seed = found[SEED.store_path]
    assert "uri" not in seed and seed["mediaType"] == attestation.NAR  # its digest is not the package's
    assert seed["annotations"]["takenFrom"]["digest"] == {"sha256": Digest.of_bytes(b"the package").hex}
    assert "://" not in json.dumps(list(found.values()))


def test_how_and_when_it_was_built(built: BuiltArtifact) -> None:
    predicate = built.said()[attestation.PROVENANCE]["predicate"]
    definition, run = predicate["buildDefinition"], predicate["runDetails"]
    assert definition["externalParameters"]["spec"] == built.spec
    assert definition["externalParameters"]["overrides"] == built.record().overrides
    record = Digest.of_bytes(built.record_file.read_bytes()).hex
    assert run["metadata"] == {
        "invocationId": f"urn:sha256:{record}",
        "startedOn": "2026-11-20T10:00:00.000Z",
        "finishedOn": "2026-11-20T10:05:00.000Z",
    }
    assert run["builder"] == {
        "id": "urn:reprobuild:builder:1",
        "version": {"reprobuild": "0.1.0"},
        "builderDependencies": [{"name": "nix", "uri": "pkg:generic/nix@2.28.3"}],
    }
    names = [one["name"] for one in run["byproducts"]]
    assert names == [
        "build record",
        "output of prepare",
        "log of prepare",
        "output of train",
        "log of train",
        "log of model",
    ]


def test_the_commit_is_named_where_the_record_knows_it(built: BuiltArtifact, tmp_path: Path) -> None:
    def parameters(one: BuiltArtifact) -> dict[str, Any]:
        definition = one.said()[attestation.PROVENANCE]["predicate"]["buildDefinition"]
        return {key: value for key, value in definition["internalParameters"].items() if key != "derivations"}

    (tmp_path / "other").mkdir()
    committed = BuiltArtifact(tmp_path / "other", changes={"commit": "ab" * 20, "dirty": False})
    assert parameters(committed) == {"commit": "ab" * 20, "dirty": False}
    assert parameters(built) == {}


def test_nothing_tells_the_machine_s_name_or_the_folder(built: BuiltArtifact) -> None:
    text = b"".join(built.attest().payloads).decode()
    assert "/home/me" not in text and '"here"' not in text


def test_the_machine_as_each_stage_measured_it(built: BuiltArtifact) -> None:
    attributes = built.said()[attestation.SCAI]["predicate"]["attributes"]
    assert [(one["attribute"], one["target"]["name"], one["conditions"]) for one in attributes] == [
        ("HOST", "output of prepare", HOST),
        ("HOST", "output of train", HOST),
        ("HARDWARE", "output of train", HARDWARE),
        ("NUMERICS", "output of train", NUMERICS),
    ]


def test_a_build_that_ran_no_stage_tells_of_no_machine(tmp_path: Path) -> None:
    made = BuiltArtifact(tmp_path)
    reused = [
        one.model_copy(update={"host": None, "hardware": None, "numerics": None})
        for one in made.record().outputs
    ]
    made.changes["outputs"] = tuple(reused)
    made.record_file.write_text(made.record().model_dump_json(by_alias=True, exclude_none=True))
    assert attestation.SCAI not in made.said()
    assert any("ran no stage" in gap for gap in made.attest().gaps)


def verdict(built: BuiltArtifact, demanded: str, *holds: bool | None) -> Path:
    names = ("same inputs", "same bytes", "same weights", "same behaviour")
    levels = tuple(
        LevelVerdict(level=name, holds=one, reason="") for name, one in zip(names, holds, strict=True)
    )
    made = Verdict(artifact_id=built.artifact_id, demanded=demanded, levels=levels, stages=())
    (built.folder / "verdict.json").write_text(made.model_dump_json(by_alias=True))
    return built.folder / "verdict.json"


@pytest.mark.parametrize(
    ("demanded", "holds", "result", "failed", "warned"),
    [
        ("same bytes", (True, True, True, True), "PASSED", [], []),
        ("same behaviour", (True, False, False, True), "WARNED", [], ["same bytes", "same weights"]),
        ("same bytes", (True, False, None, True), "FAILED", ["same bytes", "same weights"], []),
        ("same weights", (True, False, None, True), "FAILED", ["same bytes", "same weights"], []),
    ],
)
def test_the_test_result(
    demanded: str, holds: tuple[bool], result: str, failed: list[str], warned: list[str], built: BuiltArtifact
) -> None:
    file = verdict(built, demanded, *holds)
    predicate = built.said(verdict=file)[attestation.TEST_RESULT]["predicate"]
    assert predicate["result"] == result
    assert predicate["failedTests"] == [f"verify {one}" for one in failed]
    assert predicate["warnedTests"] == [f"verify {one}" for one in warned]
    assert predicate["passedTests"][0] == "goal accuracy minimum"
    spec, metrics, judged = predicate["configuration"]
    assert spec["annotations"] == {"goals": {"accuracy": {"minimum": 0.5}}}
    assert metrics["annotations"] == {"metrics": {"accuracy": 0.975}}
    assert judged["annotations"] == {"demanded": demanded, "rebuilt": True}
    assert judged["digest"] == {"sha256": Digest.of_bytes(file.read_bytes()).hex}


def test_a_missed_goal_fails_and_a_missing_metric_warns(tmp_path: Path) -> None:
    for name, metrics, result in (("a", {"accuracy": 0.4}, "FAILED"), ("b", {}, "WARNED")):
        (tmp_path / name).mkdir()
        said = BuiltArtifact(tmp_path / name, metrics=metrics).said()
        assert said[attestation.TEST_RESULT]["predicate"]["result"] == result


def test_nothing_tested_is_no_test_that_passed(built: BuiltArtifact, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    del built.spec["metrics"]["accuracy"]["minimum"]
    other = BuiltArtifact(tmp_path / "other", spec=built.spec)
    assert attestation.TEST_RESULT not in other.said()
    assert any("no test result" in gap for gap in other.attest().gaps)


def test_the_record_that_built_most_is_taken(built: BuiltArtifact) -> None:
    record = built.record()
    reused = [one.model_copy(update={"status": "reused"}) for one in record.outputs]
    later = record.model_copy(update={"finished": "2026-11-21T00:00:00.000Z"})
    service = built.service()
    service.records.write(later)
    service.records.write(later.model_copy(update={"outputs": tuple(reused)}))
    service.records.write(later.model_copy(update={"artifact_id": "digits-1.0.0-others"}))
    assert built.attest().record == built.record_file
    beside = built.folder / f"{built.artifact_id}.record.json"
    beside.write_bytes(built.record_file.read_bytes())
    assert built.attest().record == beside


def test_what_cannot_be_attested_is_refused(built: BuiltArtifact, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.json"
    wrong.write_text("{}")
    with pytest.raises(UsageError, match="is not a verdict"):
        built.attest(verdict=wrong)
    other = Verdict(artifact_id="digits-1.0.0-others", demanded="same bytes", levels=(), stages=())
    wrong.write_text(other.model_dump_json(by_alias=True))
    with pytest.raises(UsageError, match="verdict on another artifact"):
        built.attest(verdict=wrong)
    gone = built.drvs.pop("source-0.drv")
    with pytest.raises(NotAResultError, match="not known here"):
        built.attest()
    built.drvs["source-0.drv"] = gone
    code = next(built.folder.glob("*-train-code"))
    code.rename(tmp_path / "moved")
    with pytest.raises(NotAResultError, match="gone from the store"):
        built.attest()
    (tmp_path / "moved").rename(code)
    built.record_file.unlink()
    with pytest.raises(UsageError, match="no build record"):
        built.attest()
    (built.result / "metrics.json").write_text("{}")
    with pytest.raises(NotAResultError, match="not as its manifest says"):
        built.attest()


def test_signed_twice_each_statement_has_one_line(built: BuiltArtifact) -> None:
    attested = built.attest()
    file = sign_statements(built.result, attested, [KEYS["alice"]])
    sign_statements(built.result, attested, [KEYS["alice"], KEYS["bob"]])
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [len(one["signatures"]) for one in lines] == [2, 2, 2, 2]
