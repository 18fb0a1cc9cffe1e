"""What is one build made of: its dependency graph, with what is known of each node.

Besides what the lock pins, stages need their code here, and a commit where one is known.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from reprobuild.core.dependency_graph import DependencyGraph, dependency_graph
from reprobuild.core.part_query import PartQuery
from reprobuild.domain.digest import Digest
from reprobuild.domain.lineage import Part
from reprobuild.domain.lock import Source
from reprobuild.domain.spec import Spec, Stage

# in the order in which people read them
KINDS = ("model", "stage", "code", "commit", "data", "wheel", "deb", "tool", "compiler", "seed")
OUTPUTS = ("model", "stage")
OWN = (*OUTPUTS, "code", "commit")  # what no lock pins


@dataclass(frozen=True)
class Composition:
    """
    Args:
        parts: node of the graph → what it is. `environment` and `base` only group others, and are none.
        files: the artifact's files that are no code, by path.
    """

    graph: DependencyGraph
    parts: Mapping[str, Part]
    files: Mapping[str, Digest] = field(default_factory=dict)

    def meant(self, query: PartQuery, among: Iterable[str] | None = None) -> list[str]:
        """Nodes that people mean; by the content of one of its files, the model.

        Args:
            among: nodes to look at; None: all.
        """
        nodes = [node for node in (self.parts if among is None else among) if query.matches(self.parts[node])]
        if self.graph.root not in nodes and not query.digests.isdisjoint(self.files.values()):
            nodes.append(self.graph.root)
        return nodes

    def needed_by(self, node: str) -> set[str]:
        """The node and everything that it needs, directly or not."""
        found, todo = {node}, [node]
        while todo:
            for need in self.graph.edges[todo.pop()]:
                if need not in found:
                    found.add(need)
                    todo.append(need)
        return found

    def ways_to(self, node: str) -> dict[str, tuple[str, ...]]:
        """The shortest way down to a node, from itself and from everything that needs it, directly or not."""
        ways: dict[str, tuple[str, ...]] = {node: (node,)}
        todo = deque([node])
        while todo:
            reached = todo.popleft()
            for user in self._users.get(reached, ()):
                if user not in ways:
                    ways[user] = (user, *ways[reached])
                    todo.append(user)
        return ways

    def listed(self) -> list[Part]:
        """Everything, by kind and name."""
        return by_kind(self.parts.values())

    @cached_property
    def _users(self) -> Mapping[str, Sequence[str]]:
        users: dict[str, list[str]] = {}
        for node, needs in self.graph.edges.items():
            for need in needs:
                users.setdefault(need, []).append(node)
        return users


def by_kind(parts: Iterable[Part]) -> list[Part]:
    return sorted(parts, key=lambda part: (KINDS.index(part.kind), part.node))


def compose(
    spec: Spec,
    sources: tuple[Source, ...],
    pinned: Mapping[str, Part],
    own: Mapping[str, Part],
    files: Mapping[str, Digest] = {},
) -> Composition:
    """
    Args:
        sources: of the lock, for the spec's system.
        pinned: what `pinned_parts` gives for them.
        own: what `own_parts` gives.
        files: of the artifact, those that are no code.
    """
    graph = dependency_graph(spec, sources)
    for part in own.values():
        for label, stage in spec.stages.items():
            if part.kind == "commit" or (part.kind == "code" and _sees(stage, part.name)):
                graph.add(f"stage {label}", part.node)
    return Composition(graph, {**pinned, **own}, files)


def own_parts(
    spec: Spec, code: Mapping[str, Digest], commit: str | None = None, outputs: Mapping[str, Part] = {}
) -> dict[str, Part]:
    """Node → part, of what no lock pins: model, stages, code, commit.

    Args:
        code: file of the project → digest; those that no stage sees are left out.
        outputs: node → what came out, where it is known.
    """
    name, version = spec.model.name, spec.model.version
    parts = [
        Part(node=f"model {name} {version}", kind="model", name=name, version=version),
        *(Part(node=f"stage {label}", kind="stage", name=label) for label in spec.stages),
        *(
            Part(node=f"code {file}", kind="code", name=file, sha256=digest)
            for file, digest in sorted(code.items())
            if any(_sees(stage, file) for stage in spec.stages.values())
        ),
    ]
    if commit is not None:
        parts.append(Part(node=f"commit {commit}", kind="commit", name=commit))
    return {part.node: outputs.get(part.node, part) for part in parts}


def pinned_parts(sources: Iterable[Source]) -> dict[str, Part]:
    """Node → part, of what the lock pins."""
    return {
        one.subject: Part(
            node=one.subject,
            kind=one.kind,
            name=one.name,
            version=one.version,
            sha256=one.sha256,
            size_bytes=one.size_bytes,
            store_path=one.store_path,
            file_name=one.file_name,
            path=one.path,
            deb_sha256=one.deb_sha256,
        )
        for one in sources
    }


def _sees(stage: Stage, file: str) -> bool:
    return any(file == seen or file.startswith(f"{seen.rstrip('/')}/") for seen in stage.source_files)
