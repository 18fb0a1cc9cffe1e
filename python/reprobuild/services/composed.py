"""What is a project, a result or a build record made of, and by which paths does something get in? Without Nix."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from reprobuild.core.composition import Composition
from reprobuild.core.lineage import Build
from reprobuild.core.part_query import PartQuery, one_version, query_of
from reprobuild.domain.lineage import NotKnown, Part
from reprobuild.errors import NotAResultError
from reprobuild.ports import FileHasher
from reprobuild.services.artifact import project_or_artifact, read_artifact
from reprobuild.services.known_builds import KnownBuilds, build_of_artifact, composition_of_project, is_record
from reprobuild.services.project import open_project
from reprobuild.services.side import read_record


@dataclass(frozen=True)
class Composed:
    known: KnownBuilds
    hasher: FileHasher

    def of(self, place: Path) -> Composition:
        """
        Args:
            place: a project's folder: what its lock says; a result (link or store path); or a build record (file).
        Raises:
            NotAResultError: none of these, or a record whose inputs are not known.
            SpecError, LockMissingError, LockFormatError, LockStaleError: the project cannot be read.
        """
        if project_or_artifact(place):
            return composition_of_project(open_project(place))
        if is_record(place):
            found = self.known.of_record(read_record(place), place.name)
            if isinstance(found, NotKnown):
                raise NotAResultError(
                    f"{place}: what it was built from is not known",
                    actual=found.reason,
                    hint="name the result itself, or the project",
                )
            return found.composition
        return self._of_artifact(place)

    def paths_to(self, place: Path, name: str) -> tuple[list[Part], list[list[str]]]:
        """What is meant, and the paths from the model down to it, shortest first for each; empty if it is no part.

        Args:
            name: as `query_of` reads it, or a file: by its content.
        Raises:
            UsageError: a range of versions.
        """
        composition = self.of(place)
        nodes = composition.meant(query_of(name if Path(name).exists() else one_version(name)))
        if not nodes and Path(name).is_file():
            digest = self.hasher.digest(Path(name))
            nodes = composition.meant(PartQuery(digests=frozenset({digest})))
        paths = [path for node in sorted(nodes) for path in composition.graph.paths(node)]
        return [composition.parts[node] for node in sorted(nodes)], paths

    def _of_artifact(self, place: Path) -> Composition:
        """By a record where there is one: it also knows the stages' outputs and the commit."""
        artifact = read_artifact(place.resolve())
        for record in reversed(self.known.records.of_version(artifact.name, artifact.version)):
            if record.artifact_id == artifact.artifact_id:
                with suppress(NotAResultError):
                    found = self.known.of_record(record, artifact.artifact_id)
                    if isinstance(found, Build):
                        return found.composition
        return build_of_artifact(place).composition
