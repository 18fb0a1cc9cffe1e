"""OpenLineage events hold what the specification's own classes can hold, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reprobuild.adapters.file_hasher import CachedFileHasher
from reprobuild.domain.digest import Digest
from reprobuild.errors import UsageError
from reprobuild.services.known_builds import KnownBuilds
from reprobuild.services.lineage import LineageService

from ..openlineage_oracle import check_event
from .lineage_examples import Records

COMMIT = "1234567890abcdef1234567890abcdef12345678"


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(tmp_path)


def events(records: Records, text: str) -> list[dict[str, Any]]:
    hasher = CachedFileHasher(records.folder / "digests")
    found = LineageService(KnownBuilds(records.store), hasher).openlineage(text)
    for event in found:
        check_event(event)
    return found


def test_each_stage_starts_and_completes_with_the_digests_of_what_went_in_and_out(records: Records) -> None:
    record = records.build("a", {"x": b"1"}, commit=COMMIT)
    found = events(records, record.artifact_id or "")
    assert [(one["job"]["name"], one["eventType"]) for one in found] == [
        (f"a.{label}", kind) for kind in ("START", "COMPLETE") for label in ("prepare", "train", "model")
    ]
    prepare, train, model = found[3:]
    (rows,) = prepare["inputs"]
    assert rows["facets"]["version"]["datasetVersion"] == Digest.of_bytes(b"1")
    assert rows["name"].endswith("-x.csv")
    assert prepare["outputs"] == train["inputs"]
    assert prepare["outputs"][0]["facets"]["version"]["datasetVersion"] == record.outputs[0].nar_hash
    assert model["outputs"][0]["facets"]["reprobuild_content"]["artifactId"] == record.artifact_id
    assert [one["outputs"] for one in found[:3]] == [[], [], []]
    location = train["job"]["facets"]["sourceCodeLocation"]
    assert (location["url"], location["version"]) == (f"swh:1:rev:{COMMIT}", COMMIT)
    assert [one["path"] for one in train["job"]["facets"]["reprobuild_code"]["files"]] == ["train.py"]
    software = found[0]["run"]["facets"]["reprobuild_software"]["parts"]
    assert [part["name"] for part in software] == ["numpy", "libc6"]


def test_a_run_has_one_id_and_the_same_one_in_every_export(records: Records) -> None:
    record = records.build("a", {"x": b"1"})
    once = [one["run"]["runId"] for one in events(records, record.artifact_id or "")]
    assert once[:3] == once[3:] and len(set(once)) == 3
    later = records.build("a", {"x": b"1"}, reused=True)
    assert [one["run"]["runId"] for one in events(records, later.outputs[-1].out_path)] == once


def test_what_no_record_tells_the_run_of_is_a_job_alone(records: Records) -> None:
    record = records.build("a", {"x": b"1"}, reused=True)
    found = events(records, record.artifact_id or "")
    assert {one["schemaURL"].rpartition("/")[2] for one in found} == {"JobEvent"}
    assert [len(one["outputs"]) for one in found] == [1, 1, 1]


def test_a_stage_that_failed_says_so_and_has_no_output(records: Records) -> None:
    record = records.build("a", {"x": b"1"}, made=("prepare",), status="failed")
    failed = record.outputs[1].model_copy(
        update={"status": "failed", "started": record.started, "duration_s": 2.0}
    )
    changed = record.model_copy(update={"outputs": (record.outputs[0], failed, record.outputs[2])})
    file = records.folder / "failed.json"
    file.write_text(changed.model_dump_json(by_alias=True, exclude_none=True))
    records.build("a", {"x": b"1"}, reused=True)  # a later build with the same stage is not meant
    found = events(records, str(file))
    assert [(one["job"]["name"], one["eventType"]) for one in found][2:] == [
        ("a.prepare", "COMPLETE"),
        ("a.train", "FAIL"),
    ]
    assert found[-1]["outputs"] == []


def test_what_no_record_tells_of_has_no_events(records: Records) -> None:
    records.build("a", {"x": b"1"})
    with pytest.raises(UsageError, match="no build record here tells of it"):
        events(records, "numpy")
