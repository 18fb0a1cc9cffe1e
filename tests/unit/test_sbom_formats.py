"""Both formats are valid by other people's strict validators, deterministic, and as complete as the closure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

from reprobuild.core.sbom.advisories import Judgement, judge, parse_advisory
from reprobuild.core.sbom.cyclonedx import SpecVersion, cyclonedx
from reprobuild.core.sbom.purl import package_url
from reprobuild.core.sbom.spdx import spdx

from .sbom_examples import SOURCES, bill

VALIDATORS = {"1.6": SchemaVersion.V1_6, "1.7": SchemaVersion.V1_7}
ADVISORY = {
    "id": "TEST-1",
    "summary": "bad",
    "aliases": ["CVE-2026-1"],
    "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "mpmath"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.4.0"}]}],
        }
    ],
}


def judged() -> Judgement:
    advisory = parse_advisory(ADVISORY)
    assert advisory is not None
    return judge(bill(), [advisory])


def node(document: dict[str, Any], ref: str) -> dict[str, Any]:
    (found,) = [one for one in document["components"] if one["bom-ref"] == ref]
    assert isinstance(found, dict)
    return found


def properties(component: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["value"] for one in component["properties"]}


@pytest.mark.parametrize("version", ["1.6", "1.7"])
@pytest.mark.parametrize("built", [True, False])
def test_cyclonedx_is_strictly_valid(version: SpecVersion, built: bool) -> None:
    made = bill() if built else bill(None)
    document = json.dumps(cyclonedx(made, version, judged().findings))
    assert JsonStrictValidator(VALIDATORS[version]).validate_str(document) is None


def test_the_validator_would_find_a_metric_that_is_a_number() -> None:
    document = cyclonedx(bill(), "1.6")
    card = document["metadata"]["component"]["modelCard"]
    card["quantitativeAnalysis"]["performanceMetrics"][0]["value"] = 0.975
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(document)) is not None


@pytest.mark.parametrize("built", [True, False])
def test_spdx_is_valid(tmp_path: Path, built: bool) -> None:
    file = tmp_path / "model.spdx.json"
    file.write_text(json.dumps(spdx(bill() if built else bill(None))))
    document = parse_file(str(file))
    assert [message.validation_message for message in validate_full_spdx_document(document)] == []
    assert len(document.packages) == len(bill().components)


def test_the_graph_is_the_closure() -> None:
    made = bill()
    edges = {(one, need) for one, needs in made.graph.edges.items() for need in needs}
    document = cyclonedx(made, "1.6")
    assert {(one["ref"], need) for one in document["dependencies"] for need in one["dependsOn"]} == edges
    refs = {one["bom-ref"] for one in document["components"]} | {document["metadata"]["component"]["bom-ref"]}
    assert refs == set(made.graph.edges) == {one["ref"] for one in document["dependencies"]}
    assert ("wheel torch 2.13.0+cpu", "wheel mpmath 1.3.0") in edges


def test_spdx_has_the_same_graph() -> None:
    made, document = bill(), spdx(bill())
    relations = [one for one in document["relationships"] if one["relationshipType"] == "DEPENDS_ON"]
    assert len(relations) == sum(len(set(needs)) for needs in made.graph.edges.values())
    assert len({one["SPDXID"] for one in document["packages"]}) == len(made.components)


def test_every_source_of_the_lock_is_a_component_with_its_hash() -> None:
    document = cyclonedx(bill(), "1.6")
    for one in SOURCES:
        assert node(document, one.subject)["hashes"] == [{"alg": "SHA-256", "content": one.sha256.hex}]


def test_equal_inputs_give_equal_bytes_and_other_inputs_another_serial_number() -> None:
    for write in (lambda b: cyclonedx(b, "1.6"), spdx):
        assert json.dumps(write(bill())) == json.dumps(write(bill(sources=SOURCES[::-1])))
    names = {cyclonedx(b, v)["serialNumber"] for b in (bill(), bill(None)) for v in ("1.6", "1.7")}
    assert len(names) == 4
    assert spdx(bill())["documentNamespace"] != spdx(bill(None))["documentNamespace"]


def test_there_is_no_time_of_the_day_of_the_run() -> None:
    assert "timestamp" not in cyclonedx(bill(), "1.6")["metadata"]
    assert spdx(bill())["creationInfo"]["created"] == "2026-11-01T10:11:12Z"


def test_the_model_has_its_card() -> None:
    model = cyclonedx(bill(), "1.6")["metadata"]["component"]
    assert model["modelCard"]["quantitativeAnalysis"] == {
        "performanceMetrics": [{"type": "accuracy", "value": "0.975"}]
    }
    assert model["modelCard"]["modelParameters"]["datasets"] == [{"ref": "data rows"}]
    assert model["modelCard"]["modelParameters"]["inputs"] == [{"format": "image: float32 [batch, 64]"}]
    assert [one["name"] for one in model["components"]] == ["weights.safetensors"]


def test_data_have_owner_source_and_licence() -> None:
    data = node(cyclonedx(bill(), "1.6"), "data rows")
    assert data["data"][0]["governance"] == {
        "owners": [{"contact": {"name": "Data team", "email": "data@example.org"}}]
    }
    assert data["licenses"] == [{"license": {"id": "CC-BY-4.0"}}]
    assert properties(data)["reprobuild:source"] == "a citation"


def test_licences_are_ids_expressions_names_or_absent() -> None:
    document = cyclonedx(bill(), "1.6")
    written = {one["bom-ref"]: one.get("licenses") for one in document["components"]}
    assert written["wheel torch 2.13.0+cpu"] == [{"expression": "BSD-3-Clause AND MIT"}]
    assert written["wheel nvidia-cuda-nvrtc 13.0.1"] == [
        {"license": {"name": "NVIDIA CUDA Toolkit End User License Agreement"}}
    ]
    assert written["deb libc6 2.36-9+deb12u14"] is None
    assert (
        "not machine-readable"
        in properties(node(document, "deb libc6 2.36-9+deb12u14"))["reprobuild:licence_unknown"]
    )


def test_spdx_explains_each_licence_that_has_no_spdx_name() -> None:
    document = spdx(bill())
    explained = {one["licenseId"]: one["name"] for one in document["hasExtractedLicensingInfos"]}
    assert explained["LicenseRef-BSD-License"] == "BSD License"
    assert explained["LicenseRef-Debian-BSD-variant"] == "BSD-variant"
    declared = {one["name"]: one["licenseDeclared"] for one in document["packages"]}
    assert declared["libc6"] == "NOASSERTION"


def test_package_urls_are_as_the_reference_library_writes_them() -> None:
    for one in SOURCES:
        if one.kind != "data":
            url = package_url(one)
            assert url is not None and PackageURL.from_string(url).to_string() == url
    assert package_url(SOURCES[1]) == ("pkg:deb/debian/libc6@2.36-9%2Bdeb12u14?arch=amd64&distro=bookworm")
    assert package_url(SOURCES[0]) is None


def test_a_finding_stands_in_cyclonedx() -> None:
    (found,) = cyclonedx(bill(), "1.6", judged().findings)["vulnerabilities"]
    assert found["id"] == "TEST-1" and found["recommendation"] == "take 1.4.0 or newer"
    assert found["affects"] == [
        {"ref": "wheel mpmath 1.3.0", "versions": [{"version": "1.3.0", "status": "affected"}]}
    ]
    assert found["ratings"][0]["method"] == "CVSSv31"
