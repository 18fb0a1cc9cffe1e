"""Which nodes of a graph share one box, so that a picture of hundreds can be read?"""

from __future__ import annotations

from collections.abc import Mapping

from reprobuild.core.graph_layout import Edges, acyclic, depths


def siblings(edges: Edges, kinds: Mapping[str, str], most: int) -> dict[str, str]:
    """Node → the one that stands for it: more than `most` nodes of one kind below the same boxes share one."""
    clean = acyclic(edges)
    depth = depths(clean)
    needed_by: dict[str, list[str]] = {node: [] for node in clean}
    for node, needs in clean.items():
        for need in needs:
            needed_by[need].append(node)
    found: dict[str, str] = {}
    for level in range(max(depth.values(), default=-1) + 1):
        alike: dict[tuple[str, frozenset[str]], list[str]] = {}
        for node in (node for node in clean if depth[node] == level):
            above = frozenset(found[one] for one in needed_by[node])
            alike.setdefault((kinds[node], above), []).append(node)
        for nodes in alike.values():
            found |= {node: nodes[0] if len(nodes) > most else node for node in nodes}
    return found
