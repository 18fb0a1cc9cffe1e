"""What a project, a result and a record are made of: the same where they are of one build, with and without records."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from reprobuild.adapters.file_hasher import CachedFileHasher
from reprobuild.core.composition import Composition
from reprobuild.domain.digest import Digest
from reprobuild.domain.lock import Lock
from reprobuild.errors import NotAResultError
from reprobuild.services.composed import Composed
from reprobuild.services.known_builds import KnownBuilds
from reprobuild.services.lineage import LineageService
from reprobuild.services.project import open_project

from .lineage_examples import Records, dataset
from .sbom_examples import PIN, SOURCES
from .spec_examples import SPEC


@pytest.fixture
def composed(tmp_path: Path) -> Composed:
    return Composed(KnownBuilds(Records(tmp_path).store), CachedFileHasher(tmp_path / "digests"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "reprobuild.toml").write_text(SPEC)
    for name in ("rows.csv", "prepare.py", "train.py"):
        (folder / name).write_text(name)
    sources = (*SOURCES[1:], dataset("rows", b"rows.csv"))
    inputs = open_project(folder).input_digests()
    (folder / "reprobuild.lock").write_text(
        Lock(inputs=inputs, systems={"x86_64-linux": PIN}, sources=sources).to_text()
    )
    return folder


def artifact(project: Path) -> Path:
    """An artifact of this project, as the worker lays it out."""
    folder = project.parent / "artifact"
    (folder / "source").mkdir(parents=True)
    for name in ("prepare.py", "train.py"):
        shutil.copy(project / name, folder / "source" / name)
    shutil.copy(project / "reprobuild.lock", folder)
    spec = open_project(project).spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    (folder / "spec.json").write_text(json.dumps(spec))
    (folder / "metrics.json").write_text("{}")
    (folder / "weights.safetensors").write_text("weights")
    files = [
        {
            "path": str(file.relative_to(folder)),
            "sha256": Digest.of_bytes(file.read_bytes()),
            "size_bytes": file.stat().st_size,
        }
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    ]
    manifest = {"schema": "reprobuild.manifest/1", "name": "digits", "version": "1.0.0", "files": files}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def inputs(composition: Composition) -> dict[str, str | None]:
    return {part.node: part.sha256 for part in composition.listed() if part.kind not in ("model", "stage")}


def test_a_project_and_its_artifact_are_made_of_the_same(composed: Composed, project: Path) -> None:
    found = inputs(composed.of(project))
    assert found == inputs(composed.of(artifact(project)))
    assert found["code train.py"] == Digest.of_bytes(b"train.py") and "wheel mpmath 1.3.0" in found


def test_a_file_is_found_by_its_content_where_no_name_fits(composed: Composed, project: Path) -> None:
    (project.parent / "elsewhere.csv").write_text("rows.csv")
    parts, paths = composed.paths_to(project, str(project.parent / "elsewhere.csv"))
    assert [part.node for part in parts] == ["data rows"]
    assert paths == [["model digits 1.0.0", "stage prepare", "data rows"]]
    (project.parent / "elsewhere.csv").write_text("other")
    assert composed.paths_to(project, str(project.parent / "elsewhere.csv")) == ([], [])


def test_an_artifact_without_a_record_says_what_it_is_made_of(composed: Composed, project: Path) -> None:
    place = artifact(project)
    found = LineageService(composed.known, composed.hasher).of(str(place), up=True, down=True)
    assert {one.part.node for one in found.made_of or ()} >= {"data rows", "code train.py", "stage train"}
    assert [(one.part.node, one.built, one.known_by) for one in found.flowed_into or ()] == [
        ("model digits 1.0.0", None, (str(place),))
    ]


def test_of_a_project_its_result_is_meant(composed: Composed, project: Path) -> None:
    place = artifact(project)
    (project / "result").symlink_to(place)
    service = LineageService(composed.known, composed.hasher)
    of_project = service.of(str(project), up=True, down=False)
    assert of_project.made_of == service.of(str(place), up=True, down=False).made_of


def test_an_artifact_without_its_lock_is_refused(composed: Composed, project: Path) -> None:
    place = artifact(project)
    (place / "reprobuild.lock").write_text("{}")
    with pytest.raises(NotAResultError, match="has no readable"):
        composed.of(place)


def test_an_old_record_is_judged_by_its_artifact(composed: Composed, project: Path, tmp_path: Path) -> None:
    place = artifact(project)
    records = Records(tmp_path)
    old = records.build("digits", {"rows": b"?"}, with_lock=False, files=None)
    model = old.outputs[-1].model_copy(update={"out_path": str(place)})
    identity = next(iter(composed.of(place).listed())).artifact_id
    changes = {"outputs": (*old.outputs[:-1], model), "artifact_id": identity}
    (tmp_path / "old.json").write_text(old.model_copy(update=changes).model_dump_json(by_alias=True))
    found = inputs(composed.of(tmp_path / "old.json"))
    assert found["code train.py"] == Digest.of_bytes(b"train.py")
    (tmp_path / "artifact/manifest.json").write_text("{}")
    with pytest.raises(NotAResultError, match="not known"):
        composed.of(tmp_path / "old.json")


def test_a_spec_of_another_release_makes_a_build_not_known(composed: Composed, tmp_path: Path) -> None:
    records = Records(tmp_path)
    records.build("a", {"x": b"1"})
    newer = records.build("b", {"x": b"1"})
    spec = {**newer.spec, "a-key-of-the-future": 1}
    file = records.store.write(newer.model_copy(update={"spec": spec, "version": "2.0.0"}))
    found = LineageService(composed.known, composed.hasher).of("x", up=True, down=True)
    assert [one.model for one in found.flowed_into or () if one.part.kind == "model"] == [
        "a 1.0.0",
        "b 1.0.0",
    ]
    assert [(one.model, "not one of this release" in one.reason) for one in found.not_known] == [
        ("b 2.0.0", True)
    ]
    with pytest.raises(NotAResultError, match="what it was built from is not known"):
        composed.of(file)
