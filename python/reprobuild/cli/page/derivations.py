"""The derivations that differ as a picture: those that differ in themselves stand out from those that follow."""

from __future__ import annotations

import re

from reprobuild.cli.diff_text import origins
from reprobuild.cli.page.graph import Box, Look, graph_picture
from reprobuild.core.graph_groups import siblings
from reprobuild.domain.difference import DerivationDifference

_WORDS: dict[Look, str] = {
    "bad": "differs in itself",
    "plain": "follows",
    "good": "only in the second",
    "gone": "only in the first",
}
_MOST = 3  # alike and side by side, with a box each


def derivation_picture(cause: tuple[DerivationDifference, ...]) -> str:
    sources = {one.path for one in origins(cause)}
    looks: dict[str, Look] = {}
    edges: dict[str, tuple[str, ...]] = {}
    for one in sorted(cause, key=lambda one: (len(one.path), one.path)):
        name = one.path[-1]
        looks[name] = "bad" if one.path in sources else "plain"
        added = [f"+ {inner}" for inner in one.inputs_added]
        removed = [f"- {inner}" for inner in one.inputs_removed]
        for inner in one.inputs:
            looks.setdefault(inner, "plain")
        looks.update(dict.fromkeys(added, "good"))
        looks.update(dict.fromkeys(removed, "gone"))
        edges[name] = (*edges.get(name, ()), *one.inputs, *added, *removed)
    edges = {node: edges.get(node, ()) for node in looks}
    kinds = {node: f"{look} {_role(node)}" for node, look in looks.items()}
    stands_for = siblings(edges, kinds, _MOST)
    members: dict[str, list[str]] = {}
    for node, first in stands_for.items():
        members.setdefault(first, []).append(node)
    joined = {
        first: dict.fromkeys(stands_for[need] for node in nodes for need in edges[node])
        for first, nodes in members.items()
    }
    boxes = {first: _box(nodes, looks[first]) for first, nodes in members.items()}
    return graph_picture("Derivations that differ", boxes, joined)


def _box(nodes: list[str], look: Look) -> Box:
    if len(nodes) == 1:
        return Box(nodes[0], _WORDS[look], look, f"{nodes[0]}, {_WORDS[look]}")
    return Box(f"{len(nodes)} {_alike(nodes)}", _WORDS[look], look, f"{', '.join(nodes[:6])} …")


def _role(name: str) -> str:
    """A file's ending, such as `whl`; else how our derivations begin, such as `digits-wheel`."""
    file = re.search(r"\.([a-z]+)$", name)
    return file[1] if file else "-".join(name.split("-")[:2])


def _alike(nodes: list[str]) -> str:
    """What their names begin with, such as `digits-wheel-…`."""
    first, last = min(nodes), max(nodes)
    same = next(
        (at for at, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), len(first)
    )
    return f"{first[:same]}…" if same else "derivations"
