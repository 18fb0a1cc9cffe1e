"""What must go to a builder, and what it had better make itself: whichever moves fewer bytes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from reprobuild.core.drv_graph import Node


@dataclass(frozen=True)
class Transfer:
    """
    Args:
        build: derivations that the builder will build, in building order.
        send: store paths to copy to it, sources and finished outputs.
        sources: those of `send` that are sources: pinned by content, so the same wherever they come from.
        fetch: those sources that this machine does not have either.
        send_bytes: size of all that is sent.
    """

    build: tuple[str, ...]
    send: tuple[str, ...]
    sources: tuple[str, ...]
    fetch: tuple[str, ...]
    send_bytes: int


def plan_transfer(
    graph: Mapping[str, Node],
    targets: Iterable[str],
    *,
    there: Collection[str],
    here: Mapping[str, int],
    source_bytes: Mapping[str, int],
) -> Transfer:
    """Walk from the targets down, as far as the builder lacks something.

    A finished stage is always sent: it took more than bytes. Another finished output is sent where that is less than
    the sources that it is built from; a source that this machine must fetch first counts twice.

    Args:
        targets: derivations to build there, whether or not their output is here.
        there: store paths that the builder has.
        here: store path → size of what this machine has.
        source_bytes: store path → size of sources, by the lock.
    """
    build: dict[str, None] = {}
    send: dict[str, int] = {}
    fetch: dict[str, None] = {}

    def source_cost(path: str) -> int:
        if path in there:
            return 0
        return here[path] if path in here else 2 * source_bytes.get(path, 0)

    def is_sent(node: Node) -> bool:
        if node.out_path not in here:
            return False
        sources = (graph[one] for one in node.inputs if graph[one].kind == "source")
        return node.kind in ("source", "stage") or here[node.out_path] < sum(
            source_cost(one.out_path) for one in sources
        )

    def need(drv_path: str, *, asked_for: bool) -> None:
        node = graph[drv_path]
        if node.out_path in there or drv_path in build:
            return
        if not asked_for and is_sent(node):
            send[node.out_path] = here[node.out_path]
        elif node.kind == "source":
            fetch[node.out_path] = None
            send[node.out_path] = source_bytes.get(node.out_path, 0)
        else:
            for one in node.inputs:
                need(one, asked_for=False)
            build[drv_path] = None

    for target in targets:
        need(target, asked_for=True)
    pinned = {node.out_path for node in graph.values() if node.kind == "source"}
    sources = tuple(path for path in send if path in pinned)
    return Transfer(tuple(build), tuple(send), sources, tuple(fetch), sum(send.values()))
