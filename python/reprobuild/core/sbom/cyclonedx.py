"""A bill of materials as CycloneDX 1.6 or 1.7, JSON: equal bills give equal bytes."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Sequence
from typing import Any, Final, Literal

from reprobuild import __version__
from reprobuild.core.sbom.advisories import Finding
from reprobuild.core.sbom.bill import Bill, Component
from reprobuild.core.sbom.declarations import declarations
from reprobuild.core.sbom.licences import Licence
from reprobuild.domain.checklist import Checklist
from reprobuild.domain.spec import Dataset, TensorSignature

SpecVersion = Literal["1.6", "1.7"]
_TYPES: Final = {
    "base": "operating-system",
    "data": "data",
    "environment": "platform",
    "model": "machine-learning-model",
    "stage": "application",
}
# needed to build, not in what stages run with
_BUILD_ONLY = ("compiler", "seed", "tool")


def cyclonedx(
    bill: Bill,
    version: SpecVersion,
    findings: Sequence[Finding] = (),
    checklist: Checklist | None = None,
) -> dict[str, Any]:
    """The document; its serial number is made from its content, and it has no time stamp."""
    document: dict[str, Any] = {
        "$schema": f"http://cyclonedx.org/schema/bom-{version}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": version,
        "version": 1,
        "metadata": {
            "tools": {"components": [{"type": "application", "name": "reprobuild", "version": __version__}]},
            "component": _model(bill),
        },
        "components": [_component(one, bill) for one in bill.parts],
        "dependencies": [
            {"ref": node, "dependsOn": sorted(set(needs))} for node, needs in sorted(bill.graph.edges.items())
        ],
    }
    if findings:
        document["vulnerabilities"] = [_vulnerability(one) for one in findings]
    if checklist is not None:
        document |= declarations(checklist, bill.graph.root)
    content = json.dumps(document, sort_keys=True, ensure_ascii=False)
    return {**document, "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, content)}"}


def _component(one: Component, bill: Bill) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "type": _TYPES.get(one.kind, "library"),
        "bom-ref": one.node,
        "name": one.name,
        **({"version": one.version} if one.version else {}),
        **_licences(one.licence),
    }
    properties = {"reprobuild:kind": one.kind}
    if one.source is not None:
        if one.sha256 is not None:
            fields["hashes"] = [{"alg": "SHA-256", "content": one.sha256.hex}]
        properties["reprobuild:store_path"] = one.source.store_path
        if one.source.index:
            properties["reprobuild:index"] = one.source.index
        if one.licence.why_unknown:
            properties["reprobuild:licence_unknown"] = one.licence.why_unknown
    if one.purl is not None:
        fields |= {"purl": one.purl, "scope": "excluded" if one.kind in _BUILD_ONLY else "required"}
    if one.kind == "data":
        dataset = bill.spec.datasets[one.name]
        fields |= _data(one.name, dataset)
        properties |= {"reprobuild:retrieved": dataset.retrieved, "reprobuild:source": dataset.source}
    return {**fields, "properties": _properties(properties)}


def _model(bill: Bill) -> dict[str, Any]:
    model = bill.spec.model
    fields: dict[str, Any] = {
        "type": _TYPES["model"],
        "bom-ref": bill.graph.root,
        "name": model.name,
        "version": model.version,
        "description": model.description,
        "authors": [_person(owner) for owner in model.owners],
        **_licences(bill.model.licence),
        "modelCard": _model_card(bill),
    }
    if model.tags:
        fields["tags"] = list(model.tags)
    properties = {"reprobuild:kind": "model"}
    if bill.built is not None:
        # the manifest covers every other file
        fields["hashes"] = [{"alg": "SHA-256", "content": bill.built.manifest_digest.hex}]
        fields["components"] = [
            {
                "type": "file",
                "bom-ref": f"file {path}",
                "name": path,
                "hashes": [{"alg": "SHA-256", "content": digest.hex}],
            }
            for path, digest in sorted(bill.built.files.items())
        ]
        properties["reprobuild:artifact_id"] = bill.built.artifact_id
    return {**fields, "properties": _properties(properties)}


def _model_card(bill: Bill) -> dict[str, Any]:
    model = bill.spec.model
    parameters: dict[str, Any] = {
        "datasets": [{"ref": one.node} for one in bill.parts if one.kind == "data"],
        "inputs": [{"format": _format(name, one)} for name, one in sorted(model.inputs.items())],
        "outputs": [{"format": _format(name, one)} for name, one in sorted(model.outputs.items())],
    }
    if model.task:
        parameters["task"] = model.task
    card: dict[str, Any] = {"modelParameters": {key: value for key, value in parameters.items() if value}}
    if bill.built is not None and bill.built.metrics:
        card["quantitativeAnalysis"] = {
            "performanceMetrics": [
                {"type": name, "value": repr(value)} for name, value in sorted(bill.built.metrics.items())
            ]
        }
    goals = {
        f"reprobuild:metric:{name}:{bound}": repr(value)
        for name, metric in bill.spec.metrics.items()
        for bound, value in (("minimum", metric.minimum), ("maximum", metric.maximum))
        if value is not None
    }
    return {**card, **({"properties": _properties(goals)} if goals else {})}


def _format(name: str, signature: TensorSignature) -> str:
    return f"{name}: {signature.dtype} [{', '.join(map(str, signature.shape))}]"


def _data(name: str, dataset: Dataset) -> dict[str, Any]:
    address = dataset.url or (dataset.source if "://" in dataset.source else None)
    described: dict[str, Any] = {"type": "dataset", "name": name}
    if address:
        described["contents"] = {"url": address}
    if dataset.description:
        described["description"] = dataset.description
    if dataset.owner:
        described["governance"] = {"owners": [{"contact": _person(dataset.owner)}]}
    fields: dict[str, Any] = {"data": [described]}
    if address:
        kind = "distribution" if dataset.url else "website"
        fields["externalReferences"] = [{"type": kind, "url": address}]
    return fields


def _person(text: str) -> dict[str, str]:
    address = re.fullmatch(r"(?:(.*\S)\s*)?<?\b([^\s<>@]+@[^\s<>@]+\.[^\s<>@]+)>?", text.strip())
    if address is None:
        return {"name": text}
    return {**({"name": address[1].rstrip("<").strip()} if address[1] else {}), "email": address[2]}


def _licences(licence: Licence) -> dict[str, Any]:
    if licence.expression is None:
        return {}
    named = dict(licence.names)
    if licence.expression in named:
        return {"licenses": [{"license": {"name": named[licence.expression]}}]}
    if re.search(r"\s|LicenseRef-|\+$", licence.expression):
        return {"licenses": [{"expression": licence.expression}]}
    return {"licenses": [{"license": {"id": licence.expression}}]}


def _vulnerability(one: Finding) -> dict[str, Any]:
    advisory = one.advisory
    fields: dict[str, Any] = {
        "bom-ref": f"vulnerability {advisory.id} {one.node}",
        "id": advisory.id,
        "source": {"name": "OSV"},
        "affects": [{"ref": one.node, "versions": [{"version": one.version, "status": "affected"}]}],
    }
    if advisory.aliases:
        fields["references"] = [{"id": alias, "source": {"name": "OSV"}} for alias in advisory.aliases]
    if advisory.summary:
        fields["description"] = advisory.summary
    if advisory.vectors:
        fields["ratings"] = [_rating(vector) for vector in advisory.vectors]
    if one.fixed:
        fields["recommendation"] = f"take {', '.join(one.fixed)} or newer"
    return fields


def _rating(vector: str) -> dict[str, str]:
    methods = {"CVSS:3.0": "CVSSv3", "CVSS:3.1": "CVSSv31", "CVSS:4.0": "CVSSv4"}
    return {"method": methods.get(vector.partition("/")[0], "other"), "vector": vector}


def _properties(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in sorted(values.items())]
