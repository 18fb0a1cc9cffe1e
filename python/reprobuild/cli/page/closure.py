"""What a model is made of: a picture with wheels and packages in one box each, and all of them as lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape

from reprobuild.cli.page.elements import folded, names, table
from reprobuild.cli.page.graph import Box, graph_picture
from reprobuild.cli.render import size
from reprobuild.core.sbom.bill import Bill, Component

_GROUPS = {
    "wheel": "Python wheels",
    "deb": "Debian packages",
    "seed": "build tools",
    "tool": "build tools",
    "compiler": "build tools",
}
_MOST_DATA = 4  # data sets with a box each


def closure_picture(bill: Bill) -> str:
    """Of the graph that `reprobuild why` walks."""
    return graph_picture(f"What {bill.model.name} is made of", *_boxes(bill, _grouped(bill)))


def part_lists(bill: Bill) -> Iterator[str]:
    """The picture in words, with every edge; then each part of the boxes that hold many."""
    grouped = _grouped(bill)
    boxes, edges = _boxes(bill, grouped)
    rows = []
    for name, needs in edges.items():
        needed = ", ".join(boxes[need].title for need in needs) or "nothing"
        rows.append([escape(boxes[name].title), escape(boxes[name].note), escape(needed)])
    yield table("Parts", ("part", "what", "needs"), rows)
    for name, parts in grouped.items():
        if boxes[name].look == "many":
            yield folded(f"{len(parts)} {name}", names(_described(part, bill) for part in parts))


def _boxes(
    bill: Bill, grouped: Mapping[str, tuple[Component, ...]]
) -> tuple[dict[str, Box], dict[str, list[str]]]:
    """Boxes by name, and what each needs, without what its own parts need of each other."""
    box_of = {part.node: name for name, parts in grouped.items() for part in parts}
    edges: dict[str, list[str]] = {name: [] for name in grouped}
    for node, needs in bill.graph.edges.items():
        for need in needs:
            one, other = box_of[node], box_of[need]
            if one != other and other not in edges[one]:
                edges[one].append(other)
    return {name: _box(name, parts, bill) for name, parts in grouped.items()}, edges


def _grouped(bill: Bill) -> dict[str, tuple[Component, ...]]:
    """Box → its parts: the model first, then as they stand in the picture."""
    many_data = sum(part.kind == "data" for part in bill.parts) > _MOST_DATA
    found: dict[str, list[Component]] = {}
    order = ("model", "stage", "data", "environment", "wheel", "base", "deb")
    rank = {kind: number for number, kind in enumerate(order)}
    stages = {f"stage {name}": number for number, name in enumerate(reversed(bill.spec.stage_order()))}
    for part in sorted(
        bill.components, key=lambda one: (rank.get(one.kind, len(rank)), stages.get(one.node, 0), one.node)
    ):
        name = "data sets" if part.kind == "data" and many_data else _GROUPS.get(part.kind, part.node)
        found.setdefault(name, []).append(part)
    return {name: tuple(parts) for name, parts in found.items()}


def _box(name: str, parts: tuple[Component, ...], bill: Bill) -> Box:
    sources = [part.source for part in parts if part.source is not None]
    total = size(sum(source.size_bytes for source in sources))
    if len(parts) > 1 or name in _GROUPS.values():
        return Box(
            name,
            f"{len(parts)}, {total}",
            "many",
            ", ".join(part.node for part in parts[:6]) + (" …" if parts[6:] else ""),
        )
    (part,) = parts
    match part.kind:
        case "model":
            return Box(f"{part.name} {part.version}", "model", "root")
        case "stage":
            run = bill.spec.stages[part.name].run
            return Box(part.name, f"stage, {run}", "stage")
        case "data":
            return Box(part.name, f"data, {total}, {part.licence.text}", "data")
        case "environment":
            return Box("environment", f"Python {bill.base.python_version}")
        case "base":
            return Box(part.name, f"base, {part.version}")
        case _:
            return Box(part.name, part.kind)


def _described(part: Component, bill: Bill) -> str:
    needs = ", ".join(sorted(set(bill.graph.edges[part.node])))
    bytes_ = f", {size(part.source.size_bytes)}" if part.source is not None else ""
    return f"{part.node}{bytes_}" + (f", needs {needs}" if needs else "")
