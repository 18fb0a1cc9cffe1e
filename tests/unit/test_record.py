"""Build records are files that read back equal, oldest first; foreign files do no harm."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import jsonschema
import pytest

from reprobuild.adapters.git import revision
from reprobuild.adapters.record_store import FileRecordStore
from reprobuild.core.schemas import record_schema
from reprobuild.domain.digest import Digest
from reprobuild.domain.record import OutputRecord, Revision
from reprobuild.services.build import BuildRequest

from .build_fakes import World


def made(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.service().run(world.project(), BuildRequest(), world.new_view)
    return world


def test_it_reads_back_equal(tmp_path: Path) -> None:
    record = made(tmp_path).kept[0][1]
    store = FileRecordStore(tmp_path / "records")
    path = store.write(record)
    assert path.is_file()
    assert store.of_version(record.model, record.version) == [record]


def test_it_passes_the_published_schema(tmp_path: Path) -> None:
    path = FileRecordStore(tmp_path / "records").write(made(tmp_path).kept[0][1])
    jsonschema.Draft202012Validator(record_schema()).validate(json.loads(path.read_text()))


def test_the_oldest_comes_first_and_foreign_files_are_passed_over(tmp_path: Path) -> None:
    record = made(tmp_path).kept[0][1]
    store = FileRecordStore(tmp_path / "records")
    late = record.model_copy(update={"finished": "2026-11-21T00:00:00.000Z"})
    early = record.model_copy(update={"finished": "2026-11-20T00:00:00.000Z"})
    paths = [store.write(late), store.write(early)]
    for number, foreign in enumerate(("{", "{}")):
        paths[0].with_name(f"{number}-{record.model}-{record.version}-1.json").write_text(foreign)
    store.write(record.model_copy(update={"version": f"{record.version}-rc1"}))
    assert store.of_version(record.model, record.version) == [early, late]


def test_the_newest_of_a_model_are_of_all_its_versions_and_of_no_other(tmp_path: Path) -> None:
    record = made(tmp_path).kept[0][1]
    store = FileRecordStore(tmp_path / "records")
    second = record.model_copy(update={"version": "2.0.0", "finished": "2027-01-01T00:00:00.000Z"})
    other = record.model_copy(update={"model": "other", "version": f"{record.model}-1"})  # a like file name
    for one in (second, record, other):
        store.write(one)
    assert store.of_model(record.model) == [record, second]


def test_two_records_of_one_moment_are_both_kept(tmp_path: Path) -> None:
    record = made(tmp_path).kept[0][1]
    store = FileRecordStore(tmp_path / "records")
    store.write(record)
    store.write(record.model_copy(update={"version": "2.0.0"}))
    assert len(list((tmp_path / "records").iterdir())) == 2


def test_no_records_yet_are_none(tmp_path: Path) -> None:
    assert FileRecordStore(tmp_path / "none").of_version("digits", "1.0.0") == []


@pytest.mark.parametrize(
    ("hardware", "numerics", "unused"),
    [
        ({"gpus": []}, {"torch": "2.15.0"}, True),
        ({"gpus": []}, {"torch": "2.15.0", "gpu": "NVIDIA H100"}, False),
        ({"gpus": []}, {}, False),  # without torch nothing can be said
        (None, {"torch": "2.15.0"}, False),  # a stage on the CPU
    ],
)
def test_a_gpu_that_was_asked_for_and_not_used_is_seen(
    hardware: dict[str, object] | None, numerics: dict[str, object], unused: bool
) -> None:
    output = OutputRecord(
        label="train", drv_path="d", out_path="o", status="built", hardware=hardware, numerics=numerics
    )
    assert output.left_gpu_unused is unused


def test_the_lock_of_a_build_is_kept_once_beside_the_records(tmp_path: Path) -> None:
    world = made(tmp_path)
    record = world.kept[0][1]
    assert world.locks[record.lock_digest] == world.project().lock_path.read_bytes()
    store = FileRecordStore(tmp_path / "state/records")
    for _ in range(2):
        store.keep_lock(world.locks[record.lock_digest])
    (kept,) = (tmp_path / "state/locks").iterdir()
    assert kept.name == f"{record.lock_digest.hex}.lock"
    assert store.lock(record.lock_digest) == kept.read_bytes()
    kept.write_text("damaged")
    assert store.lock(record.lock_digest) is None
    kept.unlink()
    assert store.lock(record.lock_digest) is None


def test_it_names_the_files_of_the_artifact_and_the_commit(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.service(revision=lambda project: Revision("c" * 40, True)).run(
        world.project(), BuildRequest(), world.new_view
    )
    record = world.kept[0][1]
    assert (record.commit, record.dirty) == ("c" * 40, True)
    assert record.files is not None and record.files["weights.safetensors"] == Digest.of_bytes(b"weights")


def test_a_record_of_an_earlier_release_is_read(tmp_path: Path) -> None:
    record = made(tmp_path).kept[0][1]
    store = FileRecordStore(tmp_path / "records")
    path = store.write(record)
    document = json.loads(path.read_text())
    del document["files"]
    assert document.keys().isdisjoint({"commit", "dirty"})
    path.write_text(json.dumps(document))
    assert [one for _, one in store.all()] == [record.model_copy(update={"files": None})]


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=tests", "-c", "user.email=tests@example.org")
    done = subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_project_stands_at_a_commit_and_only_what_a_build_reads_makes_it_dirty(tmp_path: Path) -> None:
    project = World(tmp_path).project()
    files = project.code_files
    assert files == ["prepare.py", "reprobuild.lock", "reprobuild.toml", "train.py"]
    assert revision(project.path, files) is None
    git(project.path, "init", "--quiet")
    assert revision(project.path, files) is None
    (project.path / ".gitignore").write_text("prepare.py\n")
    git(project.path, "add", ".")
    git(project.path, "commit", "--quiet", "--message", "first")
    commit = git(project.path, "rev-parse", "HEAD")
    assert revision(project.path, files) == Revision(commit, True)  # git ignores a file that a stage reads
    git(project.path, "add", "--force", "prepare.py")
    git(project.path, "commit", "--quiet", "--message", "second")
    commit = git(project.path, "rev-parse", "HEAD")
    (project.path / "notes.txt").write_text("no input")
    (project.path / "rows.csv").write_text("data is pinned by the lock")
    assert revision(project.path, files) == Revision(commit, False)
    (project.path / "train.py").write_text("changed")
    assert revision(project.path, files) == Revision(commit, True)
