"""What all pages are made of: the frame with its look, tables, lists, marks.

Text is escaped here, but where a parameter is said to be HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Final, Literal

Kind = Literal["good", "bad", "open"]
_SHORT = 16  # characters of a cell that is not broken, such as a day or a licence

HOLDS: Final[dict[bool | None, tuple[str, Kind]]] = {
    True: ("yes", "good"),
    False: ("no", "bad"),
    None: ("not known", "open"),
}


def page(title: str, parts: Iterable[str]) -> str:
    """A whole document; equal parts give equal pages.

    Args:
        parts: HTML.
    """
    style = Path(__file__).with_name("style.css").read_text("utf-8")
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<style>\n{style}</style>\n'
        "</head>\n<body>\n<main>\n" + "\n".join(parts) + "\n</main>\n</body>\n</html>\n"
    )


def heading(text: str, identity: str = "") -> str:
    """A section's heading; `identity` is what links lead to."""
    link = f' id="{identity}"' if identity else ""
    return f"<h2{link}>{escape(text)}</h2>"


def table(label: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table that scrolls inside itself; the first cell of a row names it.

    Args:
        label: what it lists, for those who hear it.
        head: titles, as HTML; all empty: none is shown.
        rows: cells, as HTML.
    """
    titles = "".join(f'<th scope="col">{one}</th>' for one in head)
    top = f"<thead><tr>{titles}</tr></thead>\n" if any(head) else ""
    body = "\n".join(
        f'<tr><th scope="row">{first}</th>' + "".join(map(_cell, rest)) + "</tr>" for first, *rest in rows
    )
    return (
        f'<div class="scroll" role="group" aria-label="{escape(label)}" tabindex="0"><table>\n'
        f"{top}<tbody>\n{body}\n</tbody></table></div>"
    )


def _cell(html: str) -> str:
    short = len(re.sub(r"<[^>]*>|&\w+;", "", html)) <= _SHORT
    return f'<td class="short">{html}</td>' if short else f"<td>{html}</td>"


def marked(text: str, kind: Kind) -> str:
    return f'<span class="{kind}">{escape(text)}</span>'


def lines(text: Iterable[str]) -> str:
    return f"<pre>{escape(chr(10).join(text))}</pre>"


def paragraph(text: str, kind: str = "") -> str:
    classes = f' class="{kind}"' if kind else ""
    return f"<p{classes}>{escape(text)}</p>"


def names(found: Iterable[str]) -> str:
    """A list of short texts in columns."""
    return '<ul class="names">' + "".join(f"<li>{escape(one)}</li>" for one in found) + "</ul>"


def folded(summary: str, html: str) -> str:
    """Something long, folded away but for its summary; print shows all."""
    return f"<details><summary>{escape(summary)}</summary>\n{html}\n</details>"
