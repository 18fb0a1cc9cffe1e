"""By which paths does a wheel, package, dataset or stage get into a model?"""

from __future__ import annotations

from pathlib import Path

from reprobuild.core.dependency_graph import dependency_graph
from reprobuild.services.project import open_project, require_fresh_lock


def paths_to(project: Path, name: str) -> list[list[str]]:
    """Paths from the model down, shortest first; empty if the name is no part of it."""
    opened = open_project(project)
    sources = require_fresh_lock(opened).for_system(opened.spec.hardware.system)
    graph = dependency_graph(opened.spec, sources)
    return [path for node in graph.named(name) for path in graph.paths(node)]
