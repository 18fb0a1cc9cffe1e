"""The report's first answers, one tile each, which lead to their sections."""

from __future__ import annotations

from html import escape

from reprobuild.cli.page.elements import Kind
from reprobuild.core.risks import goal_met
from reprobuild.services.report import Report


def tiles(report: Report) -> str:
    found = (_rebuild(report), _goals(report), _signed(report), _vulnerabilities(report), _licences(report))
    items = (
        f'<li class="{kind}"><a href="#{link}">{escape(name)}</a> <span class="answer">{escape(answer)}</span></li>'
        for link, name, answer, kind in found
    )
    return f'<nav aria-label="Answers">\n<ul class="tiles">\n{"".join(items)}\n</ul></nav>'


_Tile = tuple[str, str, str, Kind]  # section, name, answer, how good it is


def _rebuild(report: Report) -> _Tile:
    verdict = report.verdict
    if verdict is None:
        return "rebuild", "Rebuild", "not verified", "open"
    if not verdict.ok and not any(one.holds is False for one in verdict.levels):
        return "rebuild", "Rebuild", "no answer", "open"
    best = next((one.level for one in verdict.levels if one.holds and one.level != "same inputs"), None)
    kind: Kind = "good" if verdict.ok else "bad"
    return "rebuild", "Rebuild", best or "differs", kind


def _goals(report: Report) -> _Tile:
    goals = {
        name: one
        for name, one in report.spec.metrics.items()
        if one.minimum is not None or one.maximum is not None
    }
    measured = report.metrics
    met = sum(name in measured and goal_met(one, measured[name]) for name, one in goals.items())
    if not goals:
        return "metrics", "Goals", "none set", "open"
    return "metrics", "Goals", f"{met} of {len(goals)} met", "good" if met == len(goals) else "bad"


def _signed(report: Report) -> _Tile:
    signed = report.signatures
    if not signed.statements and not signed.problems:
        return "signatures", "Signatures", "none", "open"
    if not any(one.checked for one in signed.statements) and not signed.problems:
        return "signatures", "Signatures", "not checked", "open"
    bad = signed.problems or any(one.problems for one in signed.statements)
    names = sorted({name for one in signed.statements for name in one.by})
    return "signatures", "Signatures", "rejected" if bad else ", ".join(names), "bad" if bad else "good"


def _vulnerabilities(report: Report) -> _Tile:
    if report.judged is None:
        return "licences", "Vulnerabilities", "not looked for", "open"
    count = len(report.judged.findings)
    if count:
        return "licences", "Vulnerabilities", f"{count} known", "bad"
    unclear = len(report.judged.not_judged)
    return (
        "licences",
        "Vulnerabilities",
        f"{unclear} unclear" if unclear else "none known",
        "open" if unclear else "good",
    )


def _licences(report: Report) -> _Tile:
    count = sum(one.licence.expression is None for one in report.bill.licensed)
    return "licences", "Licences", f"{count} unknown" if count else "all known", "open" if count else "good"
