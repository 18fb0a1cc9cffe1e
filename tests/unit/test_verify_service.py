"""A rebuild judges every stage, whatever the first one says."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy
import pytest
import safetensors.numpy

from reprobuild.domain.digest import Digest
from reprobuild.domain.verdict import Verdict
from reprobuild.errors import UsageError
from reprobuild.services.build import BuildRequest

from .build_fakes import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.service().run(world.project(), BuildRequest(), world.new_view)
    world.realised.clear()
    return world


def verify(world: World, *stages: str, rounds: int = 1) -> Verdict:
    service = world.verify_service()
    return service.run(world.project(), stages=stages, rounds=rounds)


def said(verdict: Verdict) -> dict[str, str]:
    return {stage.label: stage.verdict for stage in verdict.stages}


def test_equal_bytes_everywhere_are_a_yes(world: World) -> None:
    verdict = verify(world)
    assert verdict.ok and set(said(verdict).values()) == {"same bytes"}
    assert list(said(verdict)) == ["prepare", "train", "model"]
    assert verdict.artifact_id is not None and verdict.artifact_id.startswith("digits-1.0.0-")


def test_all_are_judged_though_the_first_one_differs(world: World) -> None:
    world.differing.add("digits-prepare")
    verdict = verify(world)
    assert not verdict.ok
    assert said(verdict) == {"prepare": "differs", "train": "same bytes", "model": "same bytes"}


def test_the_kept_output_of_a_differing_rebuild_is_named(world: World) -> None:
    world.differing.add("digits-train")
    out = Path(world.drv("digits-train").out_path)
    kept = Path(f"{out}.check")
    for folder, loss in ((out, 0.25), (kept, 0.5)):
        folder.mkdir(parents=True)
        (folder / "metrics.json").write_text(f'{{"loss": {loss}}}')
    (train,) = verify(world, "train").stages
    assert train.differing_path == world.add(kept)
    assert train.comparison is not None
    (loss_differs,) = train.comparison.documents
    assert (loss_differs.key_path, loss_differs.first, loss_differs.second) == ("loss", "0.25", "0.5")


def test_a_rebuild_that_fails_is_told_from_one_that_differs(world: World) -> None:
    world.failing["digits-train"] = []
    assert said(verify(world))["train"] == "failed"


def test_the_metrics_of_a_run_that_crashed_are_not_those_of_the_first(world: World) -> None:
    out = Path(world.drv("digits-train").out_path)
    out.mkdir(parents=True)
    (out / "metrics.json").write_text('{"accuracy": 0.9}')
    world.failing["digits-train"] = []
    verdict = verify(world)
    assert verdict.metrics == () and verdict.unmeasured == ("accuracy",)
    assert {one.level: one.holds for one in verdict.levels} == {
        "same inputs": True,
        "same bytes": None,
        "same weights": None,
        "same behaviour": None,
    }


def test_of_many_rounds_the_one_with_other_weights_decides(world: World) -> None:
    out = Path(world.drv("digits-train").out_path)
    rounds = iter([("log.txt", b"two"), ("weights.safetensors", tensors(2.0))])

    def rebuild() -> None:
        kept = Path(f"{out}.check")
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(out, kept)
        name, content = next(rounds)
        (kept / name).write_bytes(content)

    out.mkdir(parents=True)
    (out / "log.txt").write_bytes(b"one")
    (out / "weights.safetensors").write_bytes(tensors(1.0))
    world.differing.add("digits-train")
    world.at_check = rebuild
    verdict = verify(world, "train", rounds=2)
    (train,) = verdict.stages
    assert train.comparison is not None and [one.name for one in train.comparison.tensors] == ["w"]
    assert [one.holds for one in verdict.levels if one.level == "same weights"] == [False]


def tensors(value: float) -> bytes:
    return safetensors.numpy.save({"w": numpy.asarray([value], dtype="float32")})


def test_a_crash_that_speaks_of_determinism_is_a_crash(world: World) -> None:
    world.failing["digits-train"] = []
    world.last_words = "this may not be deterministic"
    assert said(verify(world))["train"] == "failed"


def test_every_round_counts(world: World) -> None:
    verdict = verify(world, "train", rounds=3)
    assert [(stage.rounds, stage.equal) for stage in verdict.stages] == [(3, 3)]
    assert len(world.realised) == 3
    assert all(options["check"] for _, options in world.realised)


def test_what_was_never_built_is_built_and_rebuilt(tmp_path: Path) -> None:
    world = World(tmp_path)
    verdict = verify(world)
    assert verdict.ok and verdict.artifact_id is not None
    assert {stage.first_build for stage in verdict.stages} == {"now"}
    assert [stage.rounds for stage in verdict.stages] == [1, 1, 1]


def test_what_was_collected_is_built_once_and_compared_with_its_record(world: World) -> None:
    gone = world.drv("digits-train")
    world.valid.discard(gone.out_path)
    (train,) = verify(world, "train").stages
    assert (train.first_build, train.verdict, train.rounds, train.equal) == ("record", "same bytes", 1, 1)
    assert not any(options["check"] for _, options in world.realised)


def test_another_hash_than_the_record_has_is_a_difference_with_both_hashes(world: World) -> None:
    gone = world.drv("digits-train")
    world.valid.discard(gone.out_path)
    world.nar_hashes[gone.out_path] = Digest.of_bytes(b"other")
    verdict = verify(world, "train")
    (train,) = verdict.stages
    assert train.verdict == "differs" and not verdict.ok
    assert str(Digest.of_bytes(b"other")) in (train.reason or "")
    assert str(Digest.of_bytes(gone.out_path.encode())) in (train.reason or "")


def test_a_first_build_that_fails_leaves_a_verdict(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.failing["digits-train"] = ["boom"]
    verdict = verify(world)
    assert said(verdict) == {"prepare": "same bytes", "train": "failed", "model": "failed"}
    assert "boom" in (verdict.stages[1].reason or "")
    assert not verdict.ok and verdict.artifact_id is None


def test_an_unknown_stage_is_refused(world: World) -> None:
    with pytest.raises(UsageError) as caught:
        verify(world, "trian")
    assert caught.value.expected == "one of prepare, train, model"


def test_the_verdict_reads_back_equal(world: World) -> None:
    verdict = verify(world)
    assert Verdict.model_validate_json(verdict.model_dump_json(by_alias=True)) == verdict
