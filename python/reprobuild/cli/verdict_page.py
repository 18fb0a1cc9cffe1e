"""A verdict as one HTML page that needs nothing else: no network, no script."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from reprobuild.cli.verdict_text import differences
from reprobuild.domain.verdict import Verdict

_WORDS = {True: ("yes", "good"), False: ("no", "bad"), None: ("not known", "open")}
STYLE = """
:root { color-scheme: light dark; --line: #8884; --good: #1a7f37; --bad: #cf222e; --open: #9a6700; }
@media (prefers-color-scheme: dark) { :root { --good: #57ab5a; --bad: #f47067; --open: #d4a72c; } }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); }
td { overflow-wrap: anywhere; } pre { overflow-x: auto; padding: .75rem; border: 1px solid var(--line); }
.good { color: var(--good); } .bad { color: var(--bad); } .open { color: var(--open); } .answer { font-weight: 600; }
@media print { body { margin: 0; max-width: none; } pre { white-space: pre-wrap; } }
"""


def verdict_page(verdict: Verdict) -> str:
    """The same facts as the text, levels first. Deterministic: equal verdicts give equal pages."""
    title = f"Verdict on {verdict.artifact_id or 'a model that was not built'}"
    kind = "good" if verdict.ok else "bad"
    answer = verdict.demanded if verdict.ok else f"not the {verdict.demanded}"
    against = (
        f"compared with {verdict.against}" if verdict.against else "every stage was built again and compared"
    )
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p>{escape(against)}. Demanded: {verdict.demanded}. <span class="answer {kind}">{escape(answer)}</span></p>',
        "<h2>Levels</h2>",
        _table(
            ("level", "holds", "because"),
            ([escape(one.level), _marked(*_WORDS[one.holds]), escape(one.reason)] for one in verdict.levels),
        ),
        "<h2>Stages</h2>",
        _table(
            ("stage", "verdict", "equal rebuilds", "derivation"),
            (
                [
                    escape(one.label),
                    _marked(one.verdict, "good" if one.verdict == "same bytes" else "bad"),
                    f"{one.equal} of {one.rounds}",
                    escape(one.drv_path or "not known"),
                ]
                for one in verdict.stages
            ),
        ),
    ]
    if verdict.metrics:
        rows = ([escape(one.metric), escape(one.verdict), escape(one.explanation)] for one in verdict.metrics)
        parts += ["<h2>Metrics</h2>", _table(("metric", "verdict", "because"), rows)]
    if verdict.golden:
        rows = ([escape(one.label), escape(one.verdict), escape(one.explanation)] for one in verdict.golden)
        parts += ["<h2>Answers to stored inputs</h2>", _table(("stage", "verdict", "because"), rows)]
    for stage in verdict.stages:
        if stage.verdict != "same bytes":
            lines = list(differences(stage.comparison)) if stage.comparison else []
            lines += [stage.reason] if stage.reason else []
            parts += [f"<h2>{escape(stage.label)}: where it differs</h2>", _lines(lines)]
    for one in verdict.carried:
        if not one.equal:
            parts += [f"<h2>{escape(one.label)}, run on the other inputs</h2>", _lines(differences(one))]
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width">\n<style>{STYLE}</style>\n<main>\n'
        + "\n".join(parts)
        + "\n</main>\n</html>\n"
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells are HTML already."""
    titles = "".join(f'<th scope="col">{title}</th>' for title in head)
    body = "\n".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table>\n<thead><tr>{titles}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>'


def _marked(text: str, kind: str) -> str:
    return f'<span class="{kind}">{escape(text)}</span>'


def _lines(lines: Iterable[str]) -> str:
    return f"<pre>{escape(chr(10).join(lines))}</pre>"
