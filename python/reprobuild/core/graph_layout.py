"""Where do the boxes and lines of a dependency graph stand? In layers, what needs something above what it needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

BOX_WIDTH, BOX_HEIGHT = 184.0, 44.0
_GAP = 20.0  # between neighbours
_LANE = 8.0  # width of a line that passes a layer
_STEP = 84.0  # from layer to layer
_SWEEPS = 6

Edges = Mapping[str, tuple[str, ...]]
_Slot = tuple[str, str]  # (node, ""), or (from, to) of a line that passes the layer


@dataclass(frozen=True)
class Point:
    x: float
    y: float


@dataclass(frozen=True)
class Layout:
    """
    Args:
        boxes: node → middle of its upper edge.
        lines: from the lower edge of what needs to the upper edge of what is needed.
    """

    width: float
    height: float
    boxes: Mapping[str, Point]
    lines: tuple[tuple[Point, ...], ...]


def layered(edges: Mapping[str, Iterable[str]]) -> Layout:
    """Equal graphs give equal layouts. An edge that follows from two others is not drawn.

    Args:
        edges: node → what it needs; every node is a key. An edge that would close a circle is left out.
    """
    drawn = _reduced(acyclic(edges))
    depth = depths(drawn)
    layers = _ordered(_layers(drawn, depth), drawn)
    places = [_places(layer) for layer in layers]
    width = max((_span(layer) for layer in layers), default=0.0)
    boxes = {node: Point(width / 2 + places[depth[node]][node, ""], depth[node] * _STEP) for node in drawn}
    lines = []
    for node, need in ((node, need) for node, needs in drawn.items() for need in needs):
        passing = [
            Point(width / 2 + places[level][node, need], level * _STEP + BOX_HEIGHT / 2)
            for level in range(depth[node] + 1, depth[need])
        ]
        start = boxes[node]
        lines.append((Point(start.x, start.y + BOX_HEIGHT), *passing, boxes[need]))
    return Layout(width, max(0.0, (len(layers) - 1) * _STEP + BOX_HEIGHT), boxes, tuple(lines))


def acyclic(edges: Mapping[str, Iterable[str]]) -> Edges:
    """Without the edges that lead back to where a walk from the first node came from."""
    kept: dict[str, tuple[str, ...]] = {}
    walk: list[str] = []

    def visit(node: str) -> None:
        if node in kept:
            return
        walk.append(node)
        needs = tuple(need for need in dict.fromkeys(edges[node]) if need not in walk)
        for need in needs:
            visit(need)
        walk.pop()
        kept[node] = needs

    for node in edges:
        visit(node)
    return {node: kept[node] for node in edges}


def _reduced(edges: Edges) -> Edges:
    """Without the edges that a longer way makes needless."""
    reached: dict[str, set[str]] = {}

    def all_below(node: str) -> set[str]:
        if node not in reached:
            reached[node] = set().union(*({need} | all_below(need) for need in edges[node]))
        return reached[node]

    return {
        node: tuple(
            need for need in needs if not any(need in all_below(other) for other in needs if other != need)
        )
        for node, needs in edges.items()
    }


def depths(edges: Edges) -> dict[str, int]:
    """Node → its layer: one below the deepest that needs it."""
    depth = dict.fromkeys(edges, 0)
    todo = [node for node in edges if not any(node in needs for needs in edges.values())]
    while todo:
        node = todo.pop()
        for need in edges[node]:
            if depth[need] <= depth[node]:
                depth[need] = depth[node] + 1
                todo.append(need)
    return depth


def _layers(edges: Edges, depth: Mapping[str, int]) -> list[list[_Slot]]:
    layers: list[list[_Slot]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for node, needs in edges.items():
        layers[depth[node]].append((node, ""))
        for need in needs:
            for level in range(depth[node] + 1, depth[need]):
                layers[level].append((node, need))
    return layers


def _ordered(layers: list[list[_Slot]], edges: Edges) -> list[list[_Slot]]:
    """Each slot near the middle of those it is joined to, down and up in turn: few lines cross."""
    joined: dict[tuple[int, _Slot], list[_Slot]] = {}
    for level, (upper, lower) in enumerate(pairwise(layers)):
        for one in upper:
            for other in lower:
                if _follows(one, other, edges):
                    joined.setdefault((level, one), []).append(other)
                    joined.setdefault((level + 1, other), []).append(one)
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        for level in range(1, len(layers)) if down else range(len(layers) - 2, -1, -1):
            fixed = {slot: at for at, slot in enumerate(layers[level - 1 if down else level + 1])}

            def middle(
                slot: _Slot,
                level: int = level,
                fixed: dict[_Slot, int] = fixed,
                size: int = len(layers[level]),
            ) -> float:
                near = [fixed[one] / len(fixed) for one in joined.get((level, slot), ()) if one in fixed]
                return sum(near) / len(near) if near else layers[level].index(slot) / size

            layers[level] = sorted(layers[level], key=middle)
    return layers


def _follows(upper: _Slot, lower: _Slot, edges: Edges) -> bool:
    """Whether a line leads from the one to the other, in the next layer."""
    if upper[1]:  # a line that passes: it goes on, or ends
        return lower in (upper, (upper[1], ""))
    return lower[0] == upper[0] if lower[1] else lower[0] in edges[upper[0]]


def _places(layer: list[_Slot]) -> dict[_Slot, float]:
    """Slot → its middle, with the layer's own middle at 0."""
    left, found = -_span(layer) / 2, {}
    for slot in layer:
        width = _LANE if slot[1] else BOX_WIDTH
        found[slot] = left + width / 2
        left += width + _GAP
    return found


def _span(layer: list[_Slot]) -> float:
    return sum(_LANE if slot[1] else BOX_WIDTH for slot in layer) + _GAP * (len(layer) - 1)
