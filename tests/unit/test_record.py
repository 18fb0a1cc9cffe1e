"""Build records are files that read back equal, oldest first; foreign files do no harm."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from reprobuild.adapters.record_store import FileRecordStore
from reprobuild.core.schemas import record_schema
from reprobuild.domain.record import OutputRecord
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
