"""What is in a model: one component for each node of its dependency graph, with what is known about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reprobuild.core.dependency_graph import BASE, ENVIRONMENT, DependencyGraph, dependency_graph
from reprobuild.core.sbom.licences import Licence, stated
from reprobuild.core.sbom.purl import package_url
from reprobuild.domain.digest import Digest
from reprobuild.domain.lock import DebianBasePin, Source
from reprobuild.domain.spec import Spec


@dataclass(frozen=True)
class Built:
    """What only a finished artifact tells."""

    artifact_id: str
    manifest_digest: Digest
    metrics: Mapping[str, float]
    files: Mapping[str, Digest]  # path inside the artifact → SHA-256


@dataclass(frozen=True)
class Component:
    """One part; `node` is its name in the dependency graph, and unique."""

    node: str
    kind: str  # model, stage, environment, base, or the kind of its source
    name: str
    version: str | None = None
    source: Source | None = None
    licence: Licence = field(default_factory=Licence)

    @property
    def purl(self) -> str | None:
        return package_url(self.source) if self.source else None

    @property
    def sha256(self) -> Digest | None:
        """Of the file as published; a seed's is that of the package that it was taken out of."""
        return (self.source.deb_sha256 or self.source.sha256) if self.source else None


@dataclass(frozen=True)
class Bill:
    spec: Spec
    base: DebianBasePin
    graph: DependencyGraph
    components: tuple[Component, ...]  # sorted by node
    built: Built | None

    @property
    def model(self) -> Component:
        return next(one for one in self.components if one.node == self.graph.root)

    @property
    def parts(self) -> tuple[Component, ...]:
        """All but the model itself."""
        return tuple(one for one in self.components if one.node != self.graph.root)

    @property
    def licensed(self) -> tuple[Component, ...]:
        """Components that have a licence of their own."""
        return tuple(one for one in self.components if one.source is not None or one.kind == "model")


def bill_of(
    spec: Spec,
    base: DebianBasePin,
    sources: tuple[Source, ...],
    licences: Mapping[str, Licence],
    built: Built | None,
) -> Bill:
    """
    Args:
        sources: of the lock, for one system.
        licences: node → licence, of packages and wheels.
        built: None when there is no artifact of this spec and lock.
    """
    graph = dependency_graph(spec, sources)
    by_node = {source.subject: source for source in sources}
    components = []
    for node in sorted(graph.edges):
        source = by_node.get(node)
        if source is None:
            components.append(_own(node, spec, base, graph.root))
            continue
        licence = licences.get(node, Licence())
        if source.kind == "data":
            licence = stated(spec.datasets[source.name].license)
        components.append(Component(node, source.kind, source.name, source.version, source, licence))
    return Bill(spec, base, graph, tuple(components), built)


def _own(node: str, spec: Spec, base: DebianBasePin, root: str) -> Component:
    if node == root:
        return Component(
            node, "model", spec.model.name, spec.model.version, licence=stated(spec.model.license)
        )
    if node == BASE:
        return Component(node, "base", f"debian-{base.suite}", base.snapshot)
    if node == ENVIRONMENT:
        return Component(node, "environment", ENVIRONMENT)
    return Component(node, "stage", node.partition(" ")[2])
