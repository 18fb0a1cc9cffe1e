"""A rebuild judges every stage, whatever the first one says."""

from __future__ import annotations

from pathlib import Path

import pytest

from reprobuild.domain.verdict import Verdict
from reprobuild.errors import NotAResultError, UsageError
from reprobuild.services.build import BuildRequest
from reprobuild.services.verify import VerifyService

from .build_fakes import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.service().run(world.project(), BuildRequest(), world.new_view)
    world.realised.clear()
    return world


def verify(world: World, *stages: str, rounds: int = 1) -> Verdict:
    service = VerifyService(
        build=world.service(),
        store=world,
        builder=world,
        new_view=world.new_view,
        log_file=lambda drv_path: None,
    )
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
    kept = Path(f"{world.drv('digits-train').out_path}.check")
    kept.mkdir(parents=True)
    (train,) = verify(world, "train").stages
    assert train.differing_path == str(kept)


def test_a_rebuild_that_fails_is_told_from_one_that_differs(world: World) -> None:
    world.failing["digits-train"] = []
    assert said(verify(world))["train"] == "failed"


def test_every_round_counts(world: World) -> None:
    verdict = verify(world, "train", rounds=3)
    assert [(stage.rounds, stage.equal) for stage in verdict.stages] == [(3, 3)]
    assert len(world.realised) == 3
    assert all(options["check"] for _, options in world.realised)


def test_what_was_never_built_is_no_yes(world: World) -> None:
    world.valid.discard(world.drv("digits-1.0.0").out_path)
    verdict = verify(world)
    assert said(verdict) == {"prepare": "same bytes", "train": "same bytes", "model": "not built before"}
    assert not verdict.ok and verdict.artifact_id is None


def test_nothing_built_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotAResultError, match="has not been built here") as caught:
        verify(World(tmp_path))
    assert caught.value.hint == "run `reprobuild nix build` first"


def test_an_unknown_stage_is_refused(world: World) -> None:
    with pytest.raises(UsageError) as caught:
        verify(world, "trian")
    assert caught.value.expected == "one of prepare, train, model"


def test_the_verdict_reads_back_equal(world: World) -> None:
    verdict = verify(world)
    assert Verdict.model_validate_json(verdict.model_dump_json(by_alias=True)) == verdict
