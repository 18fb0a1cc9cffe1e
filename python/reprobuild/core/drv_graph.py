"""Derivations and what they are built from, as their `.drv` files say: enough to know what another store lacks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from reprobuild.domain.drv import DrvFile

Kind = Literal["source", "stage", "other"]


@dataclass(frozen=True)
class Node:
    """One derivation with one output.

    Args:
        kind: `source`: pinned by its content; `stage`: runs the user's code; `other`: base, wheel, environment, model.
        inputs: derivations that it needs, directly.
    """

    drv_path: str
    out_path: str
    kind: Kind
    inputs: tuple[str, ...] = ()


def read_graph(drv_paths: Iterable[str], read: Callable[[str], DrvFile]) -> dict[str, Node]:
    """Derivation path → node, for these and all that they need; what is needed comes before what needs it.

    Args:
        read: a derivation's file, by its store path.
    """
    graph: dict[str, Node] = {}

    def visit(drv_path: str) -> None:
        if drv_path in graph:
            return
        file = read(drv_path)
        for one in file.input_drvs:
            visit(one)
        graph[drv_path] = Node(drv_path, file.outputs["out"], _kind(file), tuple(file.input_drvs))

    for drv_path in drv_paths:
        visit(drv_path)
    return graph


def _kind(file: DrvFile) -> Kind:
    if "outputHash" in file.environment:
        return "source"
    return "stage" if "reprobuildStage" in file.environment else "other"


def out_paths(graph: Mapping[str, Node]) -> list[str]:
    return [node.out_path for node in graph.values()]
