"""What a model is made of, as a graph: model → stages → data, environment → wheels, base → packages.

Everything that the spec declares and the lock pins is a node; wheels and Debian packages depend on one another as
their metadata says.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from reprobuild.core.gpu_features import NVML_TOOL
from reprobuild.domain.lock import Source
from reprobuild.domain.spec import Spec

ENVIRONMENT = "environment"
BASE = "base"


@dataclass
class DependencyGraph:
    """Nodes are words such as `stage train`, `wheel torch 2.13.0+cpu`; edges lead to what is needed."""

    root: str
    edges: dict[str, list[str]] = field(default_factory=dict)

    def add(self, node: str, needs: str) -> None:
        self.edges.setdefault(node, []).append(needs)
        self.edges.setdefault(needs, [])

    def named(self, word: str) -> list[str]:
        """Nodes of this name: whole (`wheel numpy 2.4.6`), or the name alone (`numpy`)."""
        return sorted(node for node in self.edges if word == node or word in node.split(" ")[1:2])

    def paths(self, target: str) -> list[list[str]]:
        """The shortest path from the root for each direct dependant of the target, shortest first."""
        before: dict[str, str] = {}
        todo = deque([self.root])
        while todo:
            node = todo.popleft()
            for need in sorted(self.edges[node]):
                if need not in before and need != self.root:
                    before[need] = node
                    todo.append(need)
        found = []
        for dependant in (node for node, needs in self.edges.items() if target in needs):
            path = [target, dependant]
            while path[-1] != self.root and path[-1] in before:
                path.append(before[path[-1]])
            if path[-1] == self.root:
                found.append(path[::-1])
        return sorted(found, key=lambda path: (len(path), path))


def dependency_graph(spec: Spec, sources: tuple[Source, ...]) -> DependencyGraph:
    """The graph of one model.

    Args:
        sources: of the lock, for one system.
    """
    graph = DependencyGraph(f"model {spec.model.name} {spec.model.version}")
    datasets = {source.name: source.subject for source in sources if source.kind == "data"}
    for name, stage in spec.stages.items():
        graph.add(graph.root, f"stage {name}")
        graph.add(f"stage {name}", ENVIRONMENT)
        for need in stage.needs:
            graph.add(f"stage {name}", f"stage {need}")
        for data in stage.data:
            graph.add(f"stage {name}", datasets[data])
    graph.add(ENVIRONMENT, BASE)
    wheels = {source.name: source for source in sources if source.kind == "wheel"}
    needed = {name for wheel in wheels.values() for name in wheel.depends}
    asked = _asked(spec)
    for wheel in wheels.values():
        # asked for: in a requirement, or needed by no other wheel
        if wheel.name not in needed or wheel.name in asked:
            graph.add(ENVIRONMENT, wheel.subject)
        for name in wheel.depends:
            graph.add(wheel.subject, wheels[name].subject)
    _add_packages(graph, [BASE], [one for one in sources if one.kind == "deb"], spec.base.packages)
    compilers = [one for one in sources if one.kind == "compiler"]
    _add_packages(graph, [f"stage {name}" for name in spec.stages], compilers, ())
    for source in sources:
        if source.kind == "seed":
            graph.add(BASE, source.subject)
        elif source.kind == "tool" and source.name == NVML_TOOL:
            for name in (name for name, stage in spec.stages.items() if stage.gpu):
                graph.add(f"stage {name}", source.subject)
        elif source.kind == "tool":
            graph.add(ENVIRONMENT if source.name == "installer" else BASE, source.subject)
    return graph


def _add_packages(
    graph: DependencyGraph, users: Sequence[str], packages: Sequence[Source], asked: Collection[str]
) -> None:
    """Debian packages with what they need; the users have those that were asked for, or that no other one brings."""
    by_name = {one.name: one for one in packages}
    needed = {name for one in packages for name in one.depends}
    for one in packages:
        for name in one.depends:
            graph.add(one.subject, by_name[name].subject)
    reached: set[str] = set()
    for one in sorted(packages, key=lambda one: (one.name in needed and one.name not in asked, one.name)):
        if one.name in reached and one.name not in asked:
            continue  # or else a ring of packages that nothing leads to
        for user in users:
            graph.add(user, one.subject)
        todo = [one.name]
        while todo:
            name = todo.pop()
            if name not in reached:
                reached.add(name)
                todo += by_name[name].depends


def _asked(spec: Spec) -> set[str]:
    return {canonicalize_name(Requirement(line).name) for line in spec.python.requirements}
