"""A bill of materials as SPDX 2.3, JSON: equal bills give equal bytes."""

from __future__ import annotations

import json
import re
import uuid
from datetime import datetime
from typing import Any, Final

from reprobuild import __version__
from reprobuild.core.sbom.bill import Bill, Component

_UNSAID = "NOASSERTION"
_PURPOSES: Final = {
    "base": "OPERATING-SYSTEM",
    "data": "OTHER",
    "environment": "CONTAINER",
    "model": "OTHER",
    "stage": "APPLICATION",
}


def spdx(bill: Bill) -> dict[str, Any]:
    """The document; `created`, which SPDX wants, is the date of the base's archive state."""
    ids = _ids([one.node for one in bill.components])
    root = bill.graph.root
    document: dict[str, Any] = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"{bill.spec.model.name}-{bill.spec.model.version}",
        "creationInfo": {
            "created": _date(bill.base.snapshot),
            "creators": [f"Tool: reprobuild-{__version__}"],
            "comment": "created is the date of the base's archive state, so that equal inputs give equal bytes",
        },
        "packages": [_package(one, bill, ids) for one in bill.components],
        "relationships": [
            _relation("SPDXRef-DOCUMENT", "DESCRIBES", ids[root]),
            *(
                _relation(ids[node], "DEPENDS_ON", ids[need])
                for node, needs in sorted(bill.graph.edges.items())
                for need in sorted(set(needs))
            ),
        ],
    }
    names = {reference: name for one in bill.components for reference, name in one.licence.names}
    if names:
        document["hasExtractedLicensingInfos"] = [
            {"licenseId": reference, "name": name, "extractedText": f"named as: {name}"}
            for reference, name in sorted(names.items())
        ]
    content = json.dumps(document, sort_keys=True, ensure_ascii=False)
    return {**document, "documentNamespace": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, content)}"}


def _package(one: Component, bill: Bill, ids: dict[str, str]) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "SPDXID": ids[one.node],
        "name": one.name,
        **({"versionInfo": one.version} if one.version else {}),
        "downloadLocation": _UNSAID,
        "filesAnalyzed": False,
        "licenseConcluded": _UNSAID,
        "licenseDeclared": one.licence.expression or _UNSAID,
        "copyrightText": _UNSAID,
        "primaryPackagePurpose": _PURPOSES.get(one.kind, "LIBRARY"),
        "comment": f"reprobuild: {one.kind}",
    }
    digest = one.sha256
    if one.kind == "model" and bill.built is not None:
        digest = bill.built.manifest_digest
        metrics = ", ".join(f"{name} = {value!r}" for name, value in sorted(bill.built.metrics.items()))
        fields["comment"] = f"reprobuild: model {bill.built.artifact_id}; metrics: {metrics or 'none'}"
    if digest is not None:
        fields["checksums"] = [{"algorithm": "SHA256", "checksumValue": digest.hex}]
    if one.purl is not None:
        fields["externalRefs"] = [
            {
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator": one.purl,
            }
        ]
    if one.kind == "model":
        fields["description"] = bill.spec.model.description
    if one.kind == "data":
        dataset = bill.spec.datasets[one.name]
        owner = f", owner {dataset.owner}" if dataset.owner else ""
        fields["sourceInfo"] = f"{dataset.source}, retrieved {dataset.retrieved}{owner}"
        if dataset.description:
            fields["description"] = dataset.description
    return fields


def _relation(one: str, kind: str, other: str) -> dict[str, str]:
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}


def _ids(nodes: list[str]) -> dict[str, str]:
    """Node → identifier; of two that would be the same, the later gets a number."""
    found: dict[str, str] = {}
    for node in nodes:
        plain = "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]+", "-", node).strip("-")
        name, number = plain, 1
        while name in found.values():
            number += 1
            name = f"{plain}-{number}"
        found[node] = name
    return found


def _date(snapshot: str) -> str:
    return datetime.strptime(snapshot, "%Y%m%dT%H%M%SZ").strftime("%Y-%m-%dT%H:%M:%SZ")
