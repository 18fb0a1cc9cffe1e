"""What was something made of, and what did it flow into, as far as the builds known here tell?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from reprobuild.core.composition import OUTPUTS
from reprobuild.core.lineage import Build, flowed_into, index_of, made_of, parts_meant
from reprobuild.core.openlineage import build_events
from reprobuild.core.part_query import PartQuery, one_version, query_of
from reprobuild.domain.digest import Digest
from reprobuild.domain.lineage import Known, Lineage, NotKnown, Part
from reprobuild.domain.spec import SPEC_FILE
from reprobuild.errors import NotAResultError, UsageError
from reprobuild.ports import FileHasher
from reprobuild.services.artifact import MANIFEST_FILE, read_manifest
from reprobuild.services.known_builds import KnownBuilds, UnreadableBuildError, build_of_artifact, is_record
from reprobuild.services.side import STORE, read_record

T = TypeVar("T")


@dataclass(frozen=True)
class _Asked:
    """
    Args:
        sha256: of the file that was named.
        builds: all known ones, with what was named itself if no record here tells of it.
        record: the build whose record was named.
    """

    query: PartQuery
    sha256: Digest | None
    builds: Sequence[Build]
    not_known: Sequence[NotKnown]
    record: Build | None = None


@dataclass(frozen=True)
class LineageService:
    known: KnownBuilds
    hasher: FileHasher

    def of(self, text: str, *, up: bool, down: bool) -> Lineage:
        """
        Args:
            text: a result, a project's folder (its result), a build record, a file, or a name, digest, store path or
                commit.
            up: ask what it was made of.
            down: ask what it flowed into.
        """
        asked = self._asked(text)
        return _judged(asked, lambda asked: _answer(text, asked, up, down))

    def index(self) -> tuple[tuple[Known, ...], tuple[NotKnown, ...]]:
        """Every model, stage output and data file that builds here know; and builds that cannot be judged."""
        builds, unknown = self.known.all()
        asked = _Asked(PartQuery(), None, builds, unknown)
        return _judged(asked, lambda asked: (index_of(asked.builds), tuple(asked.not_known)))

    def openlineage(self, text: str) -> list[dict[str, Any]]:
        """Events for each stage of the builds that made this output, oldest first.

        Raises:
            UsageError: no record here tells of it.
        """
        asked = self._asked(text)
        records = [build.record for build in asked.builds if build.record is not None]
        for build in [asked.record] if asked.record else reversed(asked.builds):
            meant = build.parts(build.meant(asked.query))
            if build.record is not None and any(part.kind in OUTPUTS for part in meant):
                return build_events(build, build.record, records)
        raise UsageError(
            f"{text}: no build record here tells of it",
            expected="a result, a stage's output or a build record",
            hint="name the build record itself: a file",
        )

    def _asked(self, text: str) -> _Asked:
        """
        Raises:
            NotAResultError: an artifact or a record that cannot be read.
            UsageError: a range of versions.
        """
        builds, unknown = self.known.all()
        of_project = (Path(text) / SPEC_FILE).exists()
        path = Path(text) / "result" if of_project else Path(text)
        if of_project or (path / MANIFEST_FILE).is_file():
            query = query_of(read_manifest(path.resolve()).artifact_id)
            if not parts_meant(builds, query):
                builds.append(build_of_artifact(path))
            return _Asked(query, None, builds, unknown)
        if is_record(path):
            build = self.known.of_record(read_record(path), path.name)
            if isinstance(build, NotKnown):
                raise NotAResultError(f"{path}: what it was built from is not known", actual=build.reason)
            if all(other.record != build.record for other in builds):
                builds.append(build)
            return _Asked(query_of(_last_made(build).store_path or ""), None, builds, unknown, build)
        if path.is_file():
            digest = self.hasher.digest(path)
            return _Asked(PartQuery(digests=frozenset({digest})), digest, builds, unknown)
        # also of a link whose target was collected: records know it still
        there = path.exists() or path.is_symlink()
        store_path = there and str(path.resolve()).startswith(STORE)
        query = query_of(str(path.resolve()) if store_path else one_version(text))
        return _Asked(query, None, builds, unknown)


def _judged(asked: _Asked, answer: Callable[[_Asked], T]) -> T:
    """An answer out of the builds that can be read; the others are said not to be known."""
    while True:
        try:
            return answer(asked)
        except UnreadableBuildError as error:
            left = [build for build in asked.builds if build.named != error.found.build]
            asked = replace(asked, builds=left, not_known=[*asked.not_known, error.found])


def _answer(text: str, asked: _Asked, up: bool, down: bool) -> Lineage:
    """
    Raises:
        UnreadableBuildError: a build that matters cannot be judged.
    """
    builds, query = asked.builds, asked.query
    found = parts_meant(builds, query)
    namesakes = () if found or asked.sha256 is None else parts_meant(builds, query_of(Path(text).name))
    return Lineage(
        asked=text,
        sha256=asked.sha256,
        found=found,
        namesakes=namesakes,
        made_of=made_of(builds, query) if up else None,
        flowed_into=flowed_into(builds, query) if down else None,
        builds=len(builds),
        not_known=tuple(asked.not_known),
    )


def _last_made(build: Build) -> Part:
    """The model; of a build that did not get so far, its last stage."""
    made = [part for part in build.composition.parts.values() if part.kind in OUTPUTS and part.store_path]
    models = [part for part in made if part.kind == "model"]
    if not made:
        raise NotAResultError(f"{build.named}: this build made nothing")
    return (models or made)[-1]
