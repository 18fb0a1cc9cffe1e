"""A verdict as one HTML page that needs nothing else: no network, no script."""

from __future__ import annotations

from html import escape

from reprobuild.cli.page.elements import HOLDS, heading, lines, marked, page, table
from reprobuild.cli.verdict_text import differences
from reprobuild.domain.verdict import Verdict


def verdict_page(verdict: Verdict) -> str:
    """The same facts as the text, levels first. Deterministic: equal verdicts give equal pages."""
    title = f"Verdict on {verdict.artifact_id or 'a model that was not built'}"
    kind = "good" if verdict.ok else "bad"
    answer = verdict.demanded if verdict.ok else f"not the {verdict.demanded}"
    against = (
        f"Compared with {verdict.against}" if verdict.against else "Every stage was built again and compared"
    )
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p>{escape(against)}. Demanded: {verdict.demanded}. <span class="answer {kind}">{escape(answer)}</span></p>',
        heading("Levels"),
        table(
            "Levels",
            ("level", "holds", "because"),
            ([escape(one.level), marked(*HOLDS[one.holds]), escape(one.reason)] for one in verdict.levels),
        ),
        heading("Stages"),
        table(
            "Stages",
            ("stage", "verdict", "equal rebuilds", "derivation"),
            (
                [
                    escape(one.label),
                    marked(one.verdict, "good" if one.verdict == "same bytes" else "bad"),
                    f"{one.equal} of {one.rounds}",
                    f"<code>{escape(one.drv_path or 'not known')}</code>",
                ]
                for one in verdict.stages
            ),
        ),
    ]
    if verdict.metrics:
        rows = ([escape(one.metric), escape(one.verdict), escape(one.explanation)] for one in verdict.metrics)
        parts += [heading("Metrics"), table("Metrics", ("metric", "verdict", "because"), rows)]
    if verdict.golden:
        rows = ([escape(one.label), escape(one.verdict), escape(one.explanation)] for one in verdict.golden)
        title_ = "Answers to stored inputs"
        parts += [heading(title_), table(title_, ("stage", "verdict", "because"), rows)]
    for stage in verdict.stages:
        if stage.verdict != "same bytes":
            said = list(differences(stage.comparison)) if stage.comparison else []
            said += [stage.reason] if stage.reason else []
            parts += [heading(f"{stage.label}: where it differs"), lines(said)]
    for one in verdict.carried:
        if not one.equal:
            parts += [heading(f"{one.label}, run on the other inputs"), lines(differences(one))]
    return page(title, parts)
