"""A checklist's answers as CycloneDX has them: a standard, claims about the model, and who attests them."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from reprobuild.domain.checklist import Checklist, ChecklistItem

_SCORES: Final = {"yes": 1, "no": 0}


def declarations(checklist: Checklist, model: str) -> dict[str, Any]:
    """`definitions` and `declarations` of a document.

    Args:
        model: `bom-ref` of the model, which every claim is about.
    """
    standard = {
        "bom-ref": "checklist",
        "name": checklist.name,
        **({"version": checklist.version} if checklist.version else {}),
        "requirements": [
            {"bom-ref": f"requirement {item.id}", "identifier": item.id, "text": item.requirement}
            for item in checklist.items
        ],
    }
    assessor = {
        "bom-ref": "assessor",
        "thirdParty": checklist.third_party,
        "organization": {"name": checklist.assessor},
    }
    files = sorted({file for item in checklist.items for file in item.evidence})
    return {
        "definitions": {"standards": [standard]},
        "declarations": {
            "assessors": [assessor],
            "attestations": [
                {
                    "summary": checklist.name,
                    "assessor": "assessor",
                    "map": [_answer(item) for item in checklist.items],
                }
            ],
            "claims": [_claim(item, model) for item in checklist.items],
            "evidence": [
                {
                    "bom-ref": f"evidence {file}",
                    "propertyName": "file of the artifact",
                    "data": [{"name": file, "contents": {"url": quote(file)}}],
                }
                for file in files
            ],
        },
    }


def _answer(item: ChecklistItem) -> dict[str, Any]:
    """What does not conform is a claim against the requirement; what does not apply has no score."""
    score = {"score": _SCORES[item.conforms]} if item.conforms in _SCORES else {}
    return {
        "requirement": f"requirement {item.id}",
        "counterClaims" if item.conforms == "no" else "claims": [f"claim {item.id}"],
        "conformance": {**score, "rationale": f"{item.conforms}: {item.reason}"},
    }


def _claim(item: ChecklistItem, model: str) -> dict[str, Any]:
    said = {"yes": "", "no": "not so: ", "not applicable": "not applicable: "}[item.conforms]
    evidence = {"evidence": [f"evidence {file}" for file in item.evidence]} if item.evidence else {}
    return {
        "bom-ref": f"claim {item.id}",
        "target": model,
        "predicate": f"{said}{item.requirement}",
        "reasoning": item.reason,
        **evidence,
    }
