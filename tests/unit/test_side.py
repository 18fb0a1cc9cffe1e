"""What `--against` names: a record of another machine is compared by its hashes, whatever lies here."""

from __future__ import annotations

from pathlib import Path

import pytest

from reprobuild.domain.digest import Digest
from reprobuild.domain.verdict import Verdict
from reprobuild.errors import NotAResultError, UsageError
from reprobuild.services.build import BuildRequest
from reprobuild.services.side import Side, Sides
from reprobuild.services.verify_against import verify_against

from .build_fakes import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.service().run(world.project(), BuildRequest(), world.new_view)
    for name in ("digits-prepare", "digits-train"):
        out = Path(world.drv(name).out_path)
        out.mkdir(parents=True)
        (out / "metrics.json").write_text('{"accuracy": 0.9}')
    return world


def sides(world: World) -> Sides:
    def export(project: Path, revision: str, target: Path) -> str:
        raise UsageError("no such revision")

    return Sides(world.service(), world, world, export, world.new_view)


def record_file(world: World, *, other: bool = False) -> Path:
    (_, record), *_ = world.kept
    if other:
        outputs = tuple(
            one.model_copy(update={"nar_hash": Digest.of_bytes(b"of another machine")})
            for one in record.outputs
        )
        record = record.model_copy(update={"outputs": outputs})
    file = world.folder / "record.json"
    file.write_text(record.model_dump_json(by_alias=True, exclude_none=True))
    return file


def judge(world: World, reference: Side) -> Verdict:
    judged = sides(world).of_project(world.project())
    return verify_against(judged, reference, store=world, references=lambda name: ())


def test_the_same_record_agrees(world: World) -> None:
    verdict = judge(world, sides(world).named(world.project(), str(record_file(world))))
    assert verdict.ok and {stage.verdict for stage in verdict.stages} == {"same bytes"}


def test_a_record_of_another_machine_is_not_compared_with_what_lies_here(world: World) -> None:
    verdict = judge(world, sides(world).named(world.project(), str(record_file(world, other=True))))
    assert not verdict.ok
    assert {stage.verdict for stage in verdict.stages} == {"differs"}
    assert [one.holds for one in verdict.levels] == [True, False, None, None]
    assert verdict.unmeasured == ("accuracy",)


def test_a_baseline_of_another_model_or_with_the_judged_seed_is_refused(world: World) -> None:
    metrics = {"accuracy": [0.9, 0.91]}
    for wrong in (
        Side("baseline", {}, metrics, model="letters", seeds=(1, 2)),
        Side("baseline", {}, metrics, model="digits", seeds=(0, 1)),
    ):
        with pytest.raises(UsageError, match="baseline"):
            judge(world, wrong)


def test_what_is_none_of_these_says_what_would_be(world: World, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        sides(world).named(None, "v1.0.0")
    assert "--project" in (caught.value.hint or "")
    file = tmp_path / "broken.json"
    file.write_text('{"schema": "reprobuild.record/1"}')
    with pytest.raises(NotAResultError, match="not a build record"):
        sides(world).named(None, str(file))
