"""The difference of two models as one HTML page that needs nothing else: no network, no script."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from reprobuild.cli.diff_text import cause_lines, origins, sections
from reprobuild.cli.verdict_page import STYLE
from reprobuild.domain.difference import ComparedSide, DerivationDifference, Difference

_TREE = """
.tree ul { list-style: none; margin: 0; padding-left: 1rem; border-left: 1px solid var(--line); }
.tree > ul { padding-left: 0; border-left: 0; } .tree li { padding: .15rem 0 .15rem .5rem; overflow-wrap: anywhere; }
"""


def diff_page(found: Difference) -> str:
    """The same facts as the text, all lines of them. Deterministic: equal differences give equal pages."""
    title = "Nothing differs" if found.same else "What differs"
    parts = [f"<h1>{title}</h1>", _sides(found.first, found.second)]
    for name, lines in sections(found):
        if name != "cause":
            parts += [f"<h2>{escape(name.capitalize())}</h2>", _lines(lines)]
    if found.cause:
        parts += ["<h2>Why the derivations differ</h2>", _origins(found.cause), "<h2>Graph</h2>"]
        parts += [_graph(found.cause)]
    if found.not_compared:
        parts += ["<h2>Not compared</h2>", _lines(found.not_compared)]
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f'<meta name="viewport" content="width=device-width">\n<style>{STYLE}{_TREE}</style>\n<main>\n'
        + "\n".join(parts)
        + "\n</main>\n</html>\n"
    )


def _sides(first: ComparedSide, second: ComparedSide) -> str:
    rows = [
        f'<tr><th scope="row">{name}</th><td>{_known(one)}</td><td>{_known(other)}</td></tr>'
        for name, one, other in (
            ("what", f"{first.kind} {first.named}", f"{second.kind} {second.named}"),
            ("model", first.model, second.model),
            ("artifact", first.artifact_id, second.artifact_id),
            ("derivation", first.drv_path, second.drv_path),
        )
    ]
    head = '<tr><th></th><th scope="col">first</th><th scope="col">second</th></tr>'
    return f'<div class="scroll"><table>\n<thead>{head}</thead>\n<tbody>\n{"".join(rows)}\n</tbody></table></div>'


def _known(text: str | None) -> str:
    return escape(text) if text else "not known"


def _origins(cause: tuple[DerivationDifference, ...]) -> str:
    return _lines(line for one in origins(cause) for line in cause_lines(one))


def _graph(cause: tuple[DerivationDifference, ...]) -> str:
    """Differing derivations as a tree from the model down; each one is unfolded where it comes first."""
    by_path = {one.path: one for one in cause}
    roots = [one for one in cause if len(one.path) == 1]
    return f'<div class="tree"><ul>{"".join(_node(one, by_path) for one in roots)}</ul></div>'


def _node(one: DerivationDifference, by_path: Mapping[tuple[str, ...], DerivationDifference]) -> str:
    origin = ' <span class="bad">differs in itself</span>' if one.is_origin else ""
    alone = [f'<li><span class="good">+ {escape(name)}</span></li>' for name in one.inputs_added]
    alone += [f'<li><span class="bad">- {escape(name)}</span></li>' for name in one.inputs_removed]
    below = []
    for name in one.inputs:
        inner = by_path.get((*one.path, name))
        below.append(_node(inner, by_path) if inner else f"<li>{escape(name)} (shown elsewhere)</li>")
    inside = f"<ul>{''.join(below + alone)}</ul>" if below or alone else ""
    return f"<li>{escape(one.path[-1])}{origin}{inside}</li>"


def _lines(lines: Iterable[str]) -> str:
    return f"<pre>{escape(chr(10).join(lines))}</pre>"
