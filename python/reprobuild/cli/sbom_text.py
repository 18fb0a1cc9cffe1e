"""Licences and known vulnerabilities of a model's parts, as rows for `--json` and as lines for people."""

from __future__ import annotations

from typing import Any

from reprobuild.core.sbom.advisories import Judgement
from reprobuild.core.sbom.bill import Bill


def licence_rows(bill: Bill) -> list[dict[str, str]]:
    """Unknown ones first, then those without an SPDX name."""
    ordered = sorted(
        bill.licensed,
        key=lambda one: (one.licence.expression is not None, not one.licence.names, one.node),
    )
    return [
        {"component": one.node, "licence": one.licence.text, "reason": one.licence.why_unknown}
        for one in ordered
    ]


def licence_cells(bill: Bill) -> list[list[str]]:
    """Two columns, with the reason behind what is unknown."""
    return [
        [row["component"], row["licence"] + (f" ({row['reason']})" if row["reason"] else "")]
        for row in licence_rows(bill)
    ]


def vulnerability_rows(judged: Judgement) -> list[dict[str, Any]]:
    return [
        {
            "id": one.advisory.id,
            "component": one.node,
            "summary": one.advisory.summary,
            "aliases": list(one.advisory.aliases),
            "fixed": list(one.fixed),
        }
        for one in judged.findings
    ]


def vulnerability_lines(judged: Judgement) -> list[str]:
    """Such as `PYSEC-2026-1  wheel numpy 2.4.6, fixed in 2.4.7: overflow in …`."""
    return [
        f"{row['id']}  {row['component']}"
        + (f", fixed in {', '.join(row['fixed'])}" if row["fixed"] else "")
        + f": {row['summary'] or 'no summary'}"
        for row in vulnerability_rows(judged)
    ]
