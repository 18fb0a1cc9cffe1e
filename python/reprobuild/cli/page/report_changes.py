"""What changed since another artifact, and why, as its owner says."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from reprobuild.cli.diff_text import MOST, interval_text, sections
from reprobuild.cli.page.elements import folded, lines, paragraph, table
from reprobuild.domain.difference import Difference
from reprobuild.services.report import Change


def change_parts(change: Change, why: str) -> Iterator[str]:
    found = change.found
    if found is None:
        yield paragraph(f"Nothing to compare with: {change.problem}.", "open")
        return
    before = found.first.artifact_id or found.first.model or found.first.named
    yield paragraph(f"Compared with {before}.")
    if found.same:
        yield paragraph("Nothing differs in what could be compared.", "good answer")
    else:
        yield paragraph(f"Why: {why}" if why else "Why: nobody said.", "answer" if why else "open answer")
        yield from _what(found)
    if found.not_compared:
        yield folded("Not compared", lines(found.not_compared))


def _what(found: Difference) -> Iterator[str]:
    if found.meaning.metrics:
        yield table(
            "Metrics before and now",
            ("metric", "before", "now", "change", "95 % interval"),
            (
                [
                    escape(one.name),
                    *("not measured" if value is None else f"{value:g}" for value in (one.first, one.second)),
                    "" if one.delta is None else f"{one.delta:+.4g}",
                    escape(interval_text(one.interval)) if one.interval else "no baseline",
                ]
                for one in found.meaning.metrics
            ),
        )
    for name, content in sections(found):
        if name == "metrics":
            continue
        yield f"<h3>{escape(name.capitalize())}</h3>"
        yield lines(content[:MOST])
        if content[MOST:]:
            yield folded(f"{len(content) - MOST} lines more", lines(content[MOST:]))
