"""Building: what is missing is built and recorded, what exists is reused, what goes wrong is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from reprobuild.domain.record import BuildRecord
from reprobuild.errors import (
    BuildFailedError,
    InterruptedBuildError,
    LockMissingError,
    LockStaleError,
    SandboxError,
    UsageError,
)
from reprobuild.services.build import BuildOutcome, BuildRequest

from .artifact_examples import write_artifact
from .build_fakes import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def build(world: World, *stages: str, link: Path | None = None, keep_going: bool = False) -> BuildOutcome:
    request = BuildRequest(stages=stages, out_link=link, keep_going=keep_going)
    return world.service().run(world.project(), request, world.new_view)


def record(world: World) -> BuildRecord:
    return world.kept[-1][1]


def statuses(world: World) -> dict[str, str]:
    return {output.label: output.status for output in record(world).outputs}


def test_a_first_build_builds_all_and_writes_a_record(world: World) -> None:
    outcome = build(world)
    assert outcome.built == ("base", "wheel-numpy", "environment", "prepare", "train", "model")
    assert outcome.artifact is not None and outcome.artifact.metrics["accuracy"] == 0.975
    assert outcome.record_path == Path("/records/0.json")
    assert record(world).status == "built"
    assert statuses(world) == {"prepare": "built", "train": "built", "model": "built"}
    assert record(world).built_others == 3
    assert record(world).artifact_id == outcome.artifact.artifact_id


def test_the_record_holds_what_each_stage_took(world: World) -> None:
    build(world)
    train = next(output for output in record(world).outputs if output.label == "train")
    assert (train.cpu_s, train.peak_memory_bytes) == (2.0, 1000)
    assert (train.numerics, train.hardware) == ({"threads": 2}, {"gpus": []})
    assert train.origin().hardware == {"gpus": []} and train.origin().started == train.started
    assert train.nar_hash and train.log_digest and train.duration_s is not None
    assert train.log_path == f"/nix/var/log/{'a' * 32}-digits-train.drv"


def test_a_build_with_nothing_to_do_builds_fetches_and_records_nothing(world: World) -> None:
    build(world)
    world.realised.clear()
    fetched, records = list(world.fetched), len(world.kept)
    world.sandbox = "not asked when nothing is built"
    outcome = build(world)
    assert (outcome.built, outcome.record_path, outcome.other_build) == ((), None, None)
    assert (world.realised, world.fetched, len(world.kept)) == ([], fetched, records)
    assert outcome.artifact is not None


def test_finished_stages_are_reused(world: World) -> None:
    build(world, "prepare")
    build(world)
    assert statuses(world) == {"prepare": "reused", "train": "built", "model": "built"}


def test_a_subset_of_stages_builds_what_it_needs_and_no_more(world: World) -> None:
    outcome = build(world, "prepare")
    assert outcome.outputs == {"prepare": world.drv("digits-prepare").out_path}
    assert outcome.artifact is None
    assert statuses(world) == {"prepare": "built", "train": "not-built", "model": "not-built"}


def test_the_environment_alone_builds_no_stage(world: World) -> None:
    request = BuildRequest(environment=True)
    outcome = world.service().run(world.project(), request, world.new_view)
    assert list(outcome.outputs) == ["environment"] and outcome.artifact is None
    assert "environment" in outcome.built
    assert not set(outcome.built) & {"prepare", "train", "evaluate", "model"}


def test_an_unknown_stage_is_refused_before_anything_is_built(world: World) -> None:
    with pytest.raises(UsageError, match="--stage trian: there is no such stage") as caught:
        build(world, "trian")
    assert caught.value.expected == "one of prepare, train"
    assert world.realised == []


def test_a_failing_stage_shows_its_last_lines_its_log_and_nixs_status(world: World) -> None:
    world.failing["digits-train"] = [f"line {n}" for n in range(20)]
    with pytest.raises(BuildFailedError) as caught:
        build(world)
    error = caught.value
    assert (error.message, error.exit_status) == ("digits 1.0.0: stage train failed", 100)
    assert error.details == tuple(f"line {n}" for n in range(10, 20))
    assert error.actual_from == f"/nix/var/log/{'a' * 32}-digits-train.drv"
    assert world.view.calls[-1] == "finish"


def test_a_failed_build_is_recorded_too(world: World) -> None:
    world.failing["digits-train"] = ["boom"]
    with pytest.raises(BuildFailedError):
        build(world)
    assert record(world).status == "failed" and record(world).artifact_id is None
    assert statuses(world) == {"prepare": "built", "train": "failed", "model": "not-built"}


def test_a_missed_goal_fails_the_model_and_leaves_the_stages(world: World) -> None:
    miss = "metric accuracy misses its goal: 0.4 measured by stage train, at least 0.5 required"
    world.failing["digits-1.0.0"] = [miss]
    with pytest.raises(BuildFailedError) as caught:
        build(world)
    assert (caught.value.message, caught.value.details) == ("digits 1.0.0: model failed", (miss,))
    assert "the stages stay built" in (caught.value.hint or "")
    assert statuses(world) == {"prepare": "built", "train": "built", "model": "failed"}


def test_an_interrupted_build_says_so_with_130_and_in_the_record(world: World) -> None:
    world.interrupt_at = "digits-train"
    with pytest.raises(InterruptedBuildError, match="build interrupted; nothing half-made is left") as caught:
        build(world)
    assert caught.value.exit_status == 130
    assert record(world).status == "interrupted"
    assert statuses(world)["prepare"] == "built"
    assert world.view.calls[-1] == "finish"


def test_after_an_interruption_finished_stages_are_kept(world: World) -> None:
    world.interrupt_at = "digits-train"
    with pytest.raises(InterruptedBuildError):
        build(world)
    world.interrupt_at = ""
    assert build(world).built == ("train", "model")


def test_without_sandbox_nothing_is_built(world: World) -> None:
    world.sandbox = "sandbox = false"
    with pytest.raises(SandboxError) as caught:
        build(world)
    assert (caught.value.actual, caught.value.exit_status) == ("sandbox = false", 3)
    assert (world.realised, world.fetched, world.kept) == ([], [], [])


def test_a_stale_or_missing_lock_is_refused_before_nix_is_asked(world: World) -> None:
    project = world.project()
    (project.path / "reprobuild.toml").write_text(
        (project.path / "reprobuild.toml").read_text() + '[python]\nrequirements = ["numpy"]\n'
    )
    with pytest.raises(LockStaleError):
        build(world)
    project.lock_path.unlink()
    with pytest.raises(LockMissingError):
        build(world)
    assert world.realised == []


def test_the_same_version_with_other_bytes_is_noticed(world: World) -> None:
    before = build(world).artifact
    world.valid.discard(world.drv("digits-1.0.0").out_path)
    world.content = b"other weights"
    outcome = build(world)
    assert before is not None and outcome.other_build is not None
    assert outcome.other_build.artifact_id == before.artifact_id


def test_the_same_bytes_again_are_no_news(world: World) -> None:
    build(world)
    world.valid.discard(world.drv("digits-1.0.0").out_path)
    assert build(world).other_build is None


def test_results_are_kept_from_the_garbage_collector(world: World) -> None:
    link = world.folder / "result"
    build(world, link=link)
    assert link.readlink() == Path(world.drv("digits-1.0.0").out_path)
    assert world.roots.keys() == {"result", "environment", "prepare", "train"}


def test_several_results_have_a_link_each(world: World) -> None:
    build(world, "prepare", "train", link=world.folder / "result")
    assert {"result-prepare", "result-train"} <= world.roots.keys()


def test_what_was_set_stands_in_the_record(world: World) -> None:
    world.service().run(world.project("train.params.lr=0.5"), BuildRequest(), world.new_view)
    assert record(world).overrides == {"stages": {"train": {"params": {"lr": 0.5}}}}
    plain = World(world.folder / "other")
    plain.folder.mkdir()
    plain.service().run(plain.project(), BuildRequest(), plain.new_view)
    assert record(plain).spec_digest != record(world).spec_digest
    assert record(plain).lock_digest == record(world).lock_digest


def test_options_reach_nix(world: World) -> None:
    request = BuildRequest(jobs=3, keep_going=True)
    world.service().run(world.project(), request, world.new_view)
    assert world.realised[0][1] == {"jobs": 3, "keep_going": True, "check": False}


def test_inputs_of_a_stage_are_built_and_fetched_but_not_the_stage(world: World) -> None:
    project, service = world.project(), world.service()
    found = service.instantiate(project)
    service.provide_inputs(project, found, ["prepare"], world.new_view)
    assert world.valid >= {found.environment.out_path}
    assert found.stages["prepare"].out_path not in world.valid
    assert world.fetched == ["rows"]


def test_a_failed_model_leaves_the_stages_rooted(world: World) -> None:
    world.failing["digits-1.0.0"] = ["metric accuracy misses its goal"]
    with pytest.raises(BuildFailedError):
        build(world)
    assert world.roots.keys() == {"environment", "prepare", "train"}


def test_data_is_fetched_only_for_the_stage_that_reads_it(world: World) -> None:
    build(world)
    assert world.fetched == ["rows"]
    world.fetched.clear()
    world.valid.discard(world.drv("digits-train").out_path)
    world.valid.discard(world.drv("digits-1.0.0").out_path)
    build(world)
    assert world.fetched == []


def test_an_artifact_that_is_there_from_before_is_no_build(world: World) -> None:
    drv = world.drv("digits-1.0.0")
    write_artifact(Path(drv.out_path))
    world.valid.add(drv.out_path)
    assert build(world).built == ()
