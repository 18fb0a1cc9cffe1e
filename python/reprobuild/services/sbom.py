"""What is in a model: its bill of materials, from a result, or from a project's spec and lock alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from reprobuild.core.sbom.bill import Bill, Built, bill_of
from reprobuild.core.sbom.licences import Licence, of_debian, of_wheel, unknown
from reprobuild.core.spec_parse import parse_spec
from reprobuild.domain.digest import Digest
from reprobuild.domain.lock import LOCK_FILE, Lock, Source
from reprobuild.errors import NotAResultError, ReprobuildError
from reprobuild.ports import LicenceTexts
from reprobuild.services.artifact import MANIFEST_FILE, Artifact, project_or_artifact, read_artifact
from reprobuild.services.fetch_places import Wanted, cached_file
from reprobuild.services.project import open_project, require_fresh_lock

_NOT_HERE = "its file is not on this machine"


@dataclass(frozen=True)
class SbomReport:
    bill: Bill
    gaps: tuple[str, ...]  # what could not be known, in words


@dataclass(frozen=True)
class SbomService:
    texts: LicenceTexts
    cache_dir: Path

    def of(self, place: Path) -> SbomReport:
        """
        Args:
            place: a result (link or store path), or a project's folder.
        Raises:
            NotAResultError: neither a project nor a result.
            SpecError, LockMissingError, LockFormatError, LockStaleError: the project cannot be read.
        """
        artifact: Artifact | None
        if not project_or_artifact(place):
            artifact = read_artifact(place.resolve())
            spec, lock = parse_spec(artifact.spec, "spec.json"), _lock_of(artifact.path)
        else:
            project = open_project(place)
            spec, lock = project.spec, require_fresh_lock(project)
            found = _result_of(project.path)
            same = found is not None and parse_spec(found.spec, "spec.json") == spec
            artifact = found if found and same and _lock_of(found.path) == lock else None
        built = _built(artifact) if artifact else None
        sources = lock.for_system(spec.hardware.system)
        licences = self._licences(sources)
        bill = bill_of(spec, lock.systems[spec.hardware.system], sources, licences, built)
        return SbomReport(bill, tuple(_gaps(bill)))

    def _licences(self, sources: tuple[Source, ...]) -> dict[str, Licence]:
        """Node → licence, of each package and wheel."""
        wheels = {one.subject: self._of_wheel(one) for one in sources if one.kind in ("tool", "wheel")}
        debs = {_package(one): one for one in sources if one.pool_path}
        return wheels | {one.subject: self._of_deb(one, debs) for one in debs.values()}

    def _of_wheel(self, source: Source) -> Licence:
        if (file := self._file(source)) is None:
            return unknown(_NOT_HERE)
        texts = self.texts.of_wheel(file)
        return of_wheel(*texts) if texts is not None else unknown("it cannot be read as a wheel")

    def _of_deb(self, source: Source, debs: Mapping[str, Source]) -> Licence:
        package = _package(source)
        seen: set[str] = set()
        while package not in seen:
            seen.add(package)
            if package not in debs:
                return unknown(f"its copyright file is in {package}, which is not part of the base")
            if (file := self._file(debs[package])) is None:
                return unknown(_NOT_HERE)
            text, elsewhere = self.texts.of_deb(file, package)
            if text is not None:
                return of_debian(text)
            package = elsewhere or package
        return unknown("it has no copyright file")

    def _file(self, source: Source) -> Path | None:
        """The file as published: in the store, or among our downloads."""
        places = (Path(source.store_path), cached_file(self.cache_dir, Wanted.of(source)))
        return next((place for place in places if place.is_file()), None)


def _package(source: Source) -> str:
    """Name of the package that a source is, or was taken out of."""
    return (source.pool_path or source.name).rpartition("/")[2].partition("_")[0]


def _lock_of(artifact: Path) -> Lock:
    try:
        return Lock.model_validate_json((artifact / LOCK_FILE).read_bytes())
    except (OSError, ValidationError) as error:
        raise NotAResultError(
            f"{artifact} has no readable {LOCK_FILE}",
            expected="the lock as built",
            actual=str(error).split("\n", 1)[0],
            hint="build it again with `reprobuild nix build`",
        ) from error


def _result_of(project: Path) -> Artifact | None:
    try:
        return read_artifact((project / "result").resolve())
    except ReprobuildError:
        return None


def _built(artifact: Artifact) -> Built:
    manifest = (artifact.path / MANIFEST_FILE).read_bytes()
    return Built(
        artifact_id=artifact.artifact_id,
        manifest_digest=Digest.of_bytes(manifest),
        metrics=artifact.metrics,
        files={file["path"]: Digest(file["sha256"]) for file in json.loads(manifest)["files"]},
    )


def _gaps(bill: Bill) -> list[str]:
    gaps = []
    if bill.built is None:
        gaps.append("no result of this spec and lock: without the model's files, digest and metrics")
    missing = [one.node for one in bill.licensed if one.licence.why_unknown == _NOT_HERE]
    if missing:
        gaps.append(
            f"{len(missing)} of {len(bill.licensed)} parts are not on this machine, so their licences are unknown: "
            "`reprobuild fetch` brings them"
        )
    others = [one for one in bill.licensed if one.licence.expression is None and one.node not in missing]
    if others:
        gaps.append(f"{len(others)} licences are not stated in a readable way: `reprobuild sbom --licences`")
    return gaps
