"""The difference of two models as one HTML page that needs nothing else: no network, no script."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from html import escape

from reprobuild.cli.diff_text import cause_lines, origins, sections
from reprobuild.cli.page.derivations import derivation_picture
from reprobuild.cli.page.elements import heading, lines, page, table
from reprobuild.domain.difference import ComparedSide, DerivationDifference, Difference


def diff_page(found: Difference) -> str:
    """The same facts as the text, all lines of them. Deterministic: equal differences give equal pages."""
    title = "Nothing differs" if found.same else "What differs"
    parts = [f"<h1>{title}</h1>", _sides(found.first, found.second)]
    for name, content in sections(found):
        if name != "cause":
            parts += [heading(name.capitalize()), lines(content)]
    if found.cause:
        parts += [heading("Why the derivations differ"), _origins(found.cause)]
        parts += [heading("Graph"), derivation_picture(found.cause), _tree(found.cause)]
    if found.not_compared:
        parts += [heading("Not compared"), lines(found.not_compared)]
    return page(title, parts)


def _sides(first: ComparedSide, second: ComparedSide) -> str:
    rows = (
        ("what", f"{first.kind} {first.named}", f"{second.kind} {second.named}"),
        ("model", first.model, second.model),
        ("artifact", first.artifact_id, second.artifact_id),
        ("derivation", first.drv_path, second.drv_path),
        ("signed by", *(", ".join(side.signed_by or ()) for side in (first, second))),
    )
    cells = (
        [name, *(escape(text or "not known") for text in texts)]
        for name, *texts in rows
        if name != "signed by" or any(texts)
    )
    return table("The two sides", ("fact", "first", "second"), cells)


def _origins(cause: tuple[DerivationDifference, ...]) -> str:
    return lines(line for one in origins(cause) for line in cause_lines(one))


def _tree(cause: tuple[DerivationDifference, ...]) -> str:
    """The picture in words: from the model down; each derivation is unfolded where it comes first."""
    by_path = {one.path: one for one in cause}
    roots = [one for one in cause if len(one.path) == 1]
    inside = "".join(_node(one, by_path, {one.path for one in origins(cause)}) for one in roots)
    return f'<div class="tree"><ul>{inside}</ul></div>'


def _node(
    one: DerivationDifference,
    by_path: Mapping[tuple[str, ...], DerivationDifference],
    sources: Collection[tuple[str, ...]],
) -> str:
    origin = ' <span class="bad">differs in itself</span>' if one.path in sources else ""
    alone = [f'<li><span class="good">+ {escape(name)}</span></li>' for name in one.inputs_added]
    alone += [f'<li><span class="bad">- {escape(name)}</span></li>' for name in one.inputs_removed]
    below = []
    for name in one.inputs:
        inner = by_path.get((*one.path, name))
        below.append(
            _node(inner, by_path, sources) if inner else f"<li>{escape(name)} (shown elsewhere)</li>"
        )
    inside = f"<ul>{''.join(below + alone)}</ul>" if below or alone else ""
    return f"<li>{escape(one.path[-1])}{origin}{inside}</li>"
