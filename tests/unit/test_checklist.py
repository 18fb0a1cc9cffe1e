"""What people checked: refused where it is unclear, and valid CycloneDX where it is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from reprobuild.core.sbom.cyclonedx import cyclonedx
from reprobuild.domain.attestation import CYCLONEDX
from reprobuild.errors import UsageError
from reprobuild.services.artifact import read_manifest
from reprobuild.services.checklist import read_checklist

from .attestation_examples import BuiltArtifact
from .sbom_examples import bill
from .signing_examples import write_files

GOOD = Path(__file__).parents[1] / "vectors/checklist-1/valid/three-answers.toml"


def test_evidence_must_be_a_file_of_the_artifact(tmp_path: Path) -> None:
    (tmp_path / "list.toml").write_text(GOOD.read_text().replace("README.md", "../README.md"))
    with pytest.raises(UsageError, match="privacy-1 names evidence"):
        read_checklist(tmp_path / "list.toml", read_manifest(write_files(tmp_path / "result")))


@pytest.mark.parametrize(("version", "known"), [("1.6", SchemaVersion.V1_6), ("1.7", SchemaVersion.V1_7)])
def test_the_document_is_valid_cyclonedx(version: Any, known: SchemaVersion, tmp_path: Path) -> None:
    checklist = read_checklist(GOOD, read_manifest(write_files(tmp_path)))
    document = cyclonedx(bill(), version, checklist=checklist)
    assert JsonStrictValidator(known).validate_str(json.dumps(document)) is None
    assert document["serialNumber"] != cyclonedx(bill(), version)["serialNumber"]


def test_each_answer_is_a_claim_about_the_model(tmp_path: Path) -> None:
    predicate = BuiltArtifact(tmp_path).said(checklist=GOOD)[CYCLONEDX]["predicate"]
    declared = predicate["declarations"]
    claims = {one["bom-ref"]: one for one in declared["claims"]}
    assert {one["target"] for one in claims.values()} == {predicate["metadata"]["component"]["bom-ref"]}
    (attestation,) = declared["attestations"]
    scores = {one["requirement"]: one["conformance"].get("score") for one in attestation["map"]}
    assert scores == {"requirement privacy-1": None, "requirement bias-1": 0, "requirement law-1": 1}
    assert attestation["map"][1]["counterClaims"] == ["claim bias-1"]
    assert claims["claim privacy-1"]["evidence"] == ["evidence README.md"]
    assert declared["assessors"][0]["thirdParty"] is True
    files = {one["name"] for one in predicate["metadata"]["component"]["components"]}
    assert {one["data"][0]["name"] for one in declared["evidence"]} <= files
