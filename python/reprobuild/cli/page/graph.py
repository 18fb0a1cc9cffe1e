"""A dependency graph as a picture: boxes in layers, arrows to what is needed. Its text twin is the caller's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Literal

from reprobuild.core.graph_layout import BOX_HEIGHT, BOX_WIDTH, Point, layered

Look = Literal["plain", "root", "stage", "data", "many", "good", "bad", "gone"]

_MARGIN = 8.0
_SMALLEST = 0.75  # scale at which a picture stops to shrink with the window
_LONGEST_TITLE, _LONGEST_NOTE = 24, 30  # characters that fit into a box


@dataclass(frozen=True)
class Box:
    """
    Args:
        note: a second, smaller line.
        more: what else there is to say of it, shown where a pointer rests.
    """

    title: str
    note: str = ""
    look: Look = "plain"
    more: str = ""


def graph_picture(title: str, boxes: Mapping[str, Box], edges: Mapping[str, Iterable[str]]) -> str:
    """
    Args:
        boxes: node → what is written into its box.
        edges: node → what it needs.
    """
    layout = layered(edges)
    width, height = layout.width + 2 * _MARGIN, layout.height + 2 * _MARGIN
    drawn = [f'<path d="{_curve(line)}" marker-end="url(#arrow)"/>' for line in layout.lines]
    drawn += [_box(boxes[node], place) for node, place in layout.boxes.items()]
    described = "; ".join(
        f"{boxes[node].title} needs {', '.join(boxes[need].title for need in needs)}"
        for node, needs in edges.items()
        if needs
    )
    return (
        f'<div class="scroll graph" role="group" aria-label="{escape(title)}, picture" tabindex="0">'
        f'<svg role="img" aria-labelledby="graph-title" aria-describedby="graph-text" '
        f'width="{width:g}" height="{height:g}" style="min-width: {_SMALLEST * width:g}px" '
        f'viewBox="{-_MARGIN:g} {-_MARGIN:g} {width:g} {height:g}">\n'
        f'<title id="graph-title">{escape(title)}</title>\n<desc id="graph-text">{escape(described)}</desc>\n'
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0 0.5 L8 4 L0 7.5 Z"/></marker></defs>\n' + "\n".join(drawn) + "\n</svg></div>"
    )


def _box(box: Box, place: Point) -> str:
    left, top = place.x - BOX_WIDTH / 2, place.y
    frame = f'width="{BOX_WIDTH:g}" height="{BOX_HEIGHT:g}" rx="7"'
    behind = f'<rect x="{left + 5:g}" y="{top + 5:g}" {frame}/>' if box.look == "many" else ""
    first = place.y + (19 if box.note else 27)
    small = f'<text class="small" x="{place.x:g}" y="{place.y + 35:g}">{escape(_cut(box.note, _LONGEST_NOTE))}</text>'
    whole = ": ".join(filter(None, (box.title, box.more or box.note)))
    return (
        f'<g class="{box.look}" text-anchor="middle"><title>{escape(whole)}</title>{behind}'
        f'<rect x="{left:g}" y="{top:g}" {frame}/>'
        f'<text x="{place.x:g}" y="{first:g}">{escape(_cut(box.title, _LONGEST_TITLE))}</text>'
        f"{small if box.note else ''}</g>"
    )


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _curve(line: tuple[Point, ...]) -> str:
    """Leaves and arrives upright."""
    start, *rest = line
    path, at = f"M{start.x:g} {start.y:g}", start
    for point in rest:
        middle = (at.y + point.y) / 2
        path += f" C{at.x:g} {middle:g} {point.x:g} {middle:g} {point.x:g} {point.y:g}"
        at = point
    return path
