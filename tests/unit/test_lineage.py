"""Lineage over planted records: down to all that is hit, up to all inputs, and never silent where it cannot know."""

from __future__ import annotations

from pathlib import Path

import pytest

from reprobuild.adapters.file_hasher import CachedFileHasher
from reprobuild.domain.digest import Digest
from reprobuild.domain.lineage import Lineage
from reprobuild.services.known_builds import KnownBuilds
from reprobuild.services.lineage import LineageService

from .lineage_examples import LIBC, WHEEL, Records, of_content

BAD = b"bad shard"
COMMIT = "1234567890abcdef1234567890abcdef12345678"


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(tmp_path)


def ask(records: Records, text: str, *, up: bool = True, down: bool = True) -> Lineage:
    hasher = CachedFileHasher(records.folder / "digests")
    return LineageService(KnownBuilds(records.store), hasher).of(text, up=up, down=down)


def models(found: Lineage) -> list[str]:
    return [one.model for one in found.flowed_into or () if one.part.kind == "model"]


def test_a_bad_shard_hits_the_models_made_of_it_and_no_others(records: Records, tmp_path: Path) -> None:
    records.build("a", {"x": BAD, "y": b"good"})
    records.build("b", {"y": b"good"})
    records.build("c", {"other-name": BAD})
    records.build("d", {"y": b"good"}, {"late": BAD})
    records.build("e", {"x": b"good, under the same name"})
    shard = tmp_path / "found.csv"
    shard.write_bytes(BAD)
    by_file = ask(records, str(shard))
    assert models(by_file) == ["a 1.0.0", "c 1.0.0", "d 1.0.0"]
    assert by_file.sha256 == Digest.of_bytes(BAD)
    digest = Digest.of_bytes(BAD)
    spellings = (str(digest), digest.hex, f"sha256:{digest.hex}", digest.nix32, f"sha256:{digest.nix32}")
    for text in spellings:
        assert ask(records, text).flowed_into == by_file.flowed_into
    assert [part.node for part in by_file.found] == ["data late", "data other-name", "data x"]


def test_only_the_stages_behind_it_are_hit(records: Records) -> None:
    records.build("a", {"y": b"good"}, {"late": BAD})
    found = ask(records, Digest.of_bytes(BAD).hex)
    assert [one.part.node for one in found.flowed_into or ()] == ["model a 1.0.0", "stage train"]
    assert (found.flowed_into or ())[0].by_way_of == ("model a 1.0.0", "stage train", "data late")


def test_a_wheel_is_withdrawn_in_one_version(records: Records) -> None:
    newer = of_content(WHEEL, b"newer").model_copy(
        update={"version": "2.5.0", "file_name": "numpy-2.5.0.whl"}
    )
    records.build("a", packages=(of_content(LIBC, b"libc"), of_content(WHEEL, b"numpy")))
    records.build("b", packages=(of_content(LIBC, b"libc"), newer))
    assert models(ask(records, "numpy")) == ["a 1.0.0", "b 1.0.0"]
    assert models(ask(records, "NumPy==2.4.6")) == ["a 1.0.0"]
    assert models(ask(records, "wheel numpy 2.5.0")) == ["b 1.0.0"]
    assert models(ask(records, "numpy-2.5.0.whl")) == ["b 1.0.0"]
    assert models(ask(records, newer.store_path)) == ["b 1.0.0"]
    assert models(ask(records, "libc6")) == ["a 1.0.0", "b 1.0.0"]


def test_a_commit_names_what_was_built_from_it(records: Records) -> None:
    records.build("a", commit=COMMIT)
    records.build("a", commit="f" * 40, train_code=b"changed", version="1.0.1")
    assert models(ask(records, COMMIT)) == ["a 1.0.0"]
    assert models(ask(records, COMMIT[:8])) == ["a 1.0.0"]
    assert ask(records, COMMIT[:6]).found == ()
    up = ask(records, "model a 1.0.1").made_of or ()
    assert [one.part.name for one in up if one.part.kind == "commit"] == ["f" * 40]


def test_code_is_found_by_its_content(records: Records, tmp_path: Path) -> None:
    records.build("a", train_code=b"with a bug")
    records.build("b", train_code=b"without")
    (tmp_path / "train.py").write_bytes(b"with a bug")
    found = ask(records, str(tmp_path / "train.py"))
    assert [one.part.node for one in found.flowed_into or ()] == ["model a 1.0.0", "stage train"]


def test_a_model_is_made_of_all_its_inputs(records: Records) -> None:
    record = records.build("a", {"x": b"1"}, {"y": b"2"}, commit=COMMIT)
    for text in (
        record.artifact_id or "",
        record.outputs[-1].out_path,
        Digest.of_bytes(records.weights_of(record)).hex,
    ):
        up = ask(records, text).made_of or ()
        assert [one.part.node for one in up] == [
            "stage prepare",
            "stage train",
            "code prepare.py",
            "code train.py",
            f"commit {COMMIT}",
            "data x",
            "data y",
            "wheel numpy 2.4.6",
            "deb libc6 2.36-9+deb12u14",
        ]
        assert {one.through for one in up} == {()}


def test_a_stage_is_made_of_what_it_reads(records: Records) -> None:
    record = records.build("a", {"x": b"1"}, {"y": b"2"})
    nodes = [one.part.node for one in ask(records, record.outputs[0].out_path).made_of or ()]
    assert "data x" in nodes and "data y" not in nodes and "stage train" not in nodes


def test_weights_that_became_data_of_another_model_carry_the_withdrawal_on(records: Records) -> None:
    base = records.build("base", {"x": BAD})
    tuned = records.build("tuned", {"start": records.weights_of(base)})
    again = records.build("again", {}, {"start": records.weights_of(tuned)})
    records.build("other", {"x": b"good"})
    found = ask(records, Digest.of_bytes(BAD).hex)
    assert models(found) == ["again 1.0.0", "base 1.0.0", "tuned 1.0.0"]
    assert (found.flowed_into or ())[0].by_way_of == (
        "model again 1.0.0",
        "stage train",
        "data start",
        "model tuned 1.0.0",
        "stage prepare",
        "data start",
        "model base 1.0.0",
        "stage prepare",
        "data x",
    )
    up = {one.part.node: one.through for one in ask(records, again.artifact_id or "").made_of or ()}
    assert up["model tuned 1.0.0"] == ()
    assert up["data x"] == (tuned.artifact_id, base.artifact_id)


def test_models_whose_weights_went_in_a_circle_do_not_hang(records: Records) -> None:
    first = records.build("a", {"x": BAD})
    weights = records.weights_of(first)
    records.build("b", {"w": weights}, files={"weights.bin": Digest.of_bytes(BAD)})
    found = ask(records, Digest.of_bytes(BAD).hex)
    assert models(found) == ["a 1.0.0", "b 1.0.0"]


def test_rebuilds_of_the_same_output_count_once_and_all_their_records_are_named(records: Records) -> None:
    records.build("a", {"x": BAD})
    records.build("a", {"x": BAD}, reused=True)
    hit = ask(records, Digest.of_bytes(BAD).hex).flowed_into or ()
    assert [one.part.node for one in hit] == ["model a 1.0.0", "stage prepare", "stage train"]
    assert [len(one.known_by) for one in hit] == [2, 2, 2]


def test_what_a_failed_build_did_not_make_is_not_hit(records: Records) -> None:
    records.build("a", {"x": BAD}, made=("prepare",), status="failed")
    assert [one.part.node for one in ask(records, Digest.of_bytes(BAD).hex).flowed_into or ()] == [
        "stage prepare"
    ]


def test_a_record_without_its_lock_is_named_not_passed_over(records: Records) -> None:
    records.build("a", {"x": BAD})
    records.build("old", {"x": BAD, "y": b"2"}, with_lock=False, files=None)
    found = ask(records, Digest.of_bytes(BAD).hex)
    assert models(found) == ["a 1.0.0"]
    assert [(one.model, "lock was not kept" in one.reason) for one in found.not_known] == [
        ("old 1.0.0", True)
    ]


def test_a_record_without_its_lock_is_judged_by_the_same_lock_of_a_later_build(records: Records) -> None:
    records.build("old", {"x": BAD}, with_lock=False, files=None)
    records.build("a", {"x": BAD})
    assert models(ask(records, Digest.of_bytes(BAD).hex)) == ["a 1.0.0", "old 1.0.0"]


def test_a_record_without_its_lock_that_made_nothing_cannot_be_hit(records: Records) -> None:
    records.build("old", {"x": BAD}, with_lock=False, made=(), status="failed")
    assert ask(records, "x").not_known == ()


def test_files_that_are_no_records_are_named(records: Records) -> None:
    records.build("a", {"x": BAD})
    (records.folder / "records/0-foreign.json").write_text("{}")
    assert [one.build for one in ask(records, "x").not_known] == ["0-foreign.json"]


def test_a_changed_file_is_in_no_build_and_its_namesakes_are_told(records: Records, tmp_path: Path) -> None:
    records.build("a", {"x": BAD})
    (tmp_path / "x.csv").write_text("edited since")
    found = ask(records, str(tmp_path / "x.csv"))
    assert found.found == () and found.flowed_into == ()
    assert [part.sha256 for part in found.namesakes] == [Digest.of_bytes(BAD)]


def test_a_data_file_is_never_read_as_a_record(records: Records, tmp_path: Path) -> None:
    content = b'{"rows": [' + b"1, " * 1000 + b'"reprobuild.record/1"]}'
    records.build("a", {"x": content})
    (tmp_path / "x.json").write_bytes(content)
    assert models(ask(records, str(tmp_path / "x.json"))) == ["a 1.0.0"]


def test_a_link_to_a_collected_result_is_still_known_by_its_record(records: Records, tmp_path: Path) -> None:
    (out_path,) = (one.out_path for one in records.build("a", {"x": BAD}).outputs if one.label == "model")
    (tmp_path / "result").symlink_to(out_path)
    assert models(ask(records, str(tmp_path / "result"))) == ["a 1.0.0"]


def test_without_records_nothing_is_known(records: Records) -> None:
    found = ask(records, "numpy")
    assert (found.builds, found.found, found.flowed_into, found.made_of) == (0, (), (), ())
