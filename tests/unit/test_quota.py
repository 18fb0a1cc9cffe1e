"""How long a build will take: by earlier builds with the same parameters, else by plan; too long is refused first."""

from __future__ import annotations

from pathlib import Path

import pytest

from reprobuild.core.expected_time import expected_times
from reprobuild.core.spec_parse import parse_spec, parse_toml
from reprobuild.domain.machine import Machine
from reprobuild.domain.record import BuildRecord
from reprobuild.domain.spec import Spec
from reprobuild.errors import QuotaError
from reprobuild.services.build import BuildRequest
from reprobuild.services.quota import Quota

from .build_fakes import World
from .spec_examples import SPEC, edited, on_gpu, with_section

HERE = Machine("", ("x86_64-linux",))
GPU1 = Machine("ssh-ng://root@gpu1", ("x86_64-linux",))
PLANNED = with_section("[stages.train.resources]\ntime_s = 7200")


def spec_of(text: str) -> Spec:
    return parse_spec(parse_toml(text, "reprobuild.toml"), "reprobuild.toml")


@pytest.fixture
def record(tmp_path: Path) -> BuildRecord:
    world = World(tmp_path)
    world.service().run(world.project(), BuildRequest(), world.new_view)
    return world.kept[0][1]


def took(record: BuildRecord, seconds: float, *, builder: str = "", status: str = "built") -> BuildRecord:
    changed = {"duration_s": seconds, "builder": builder, "status": status}
    return record.model_copy(
        update={"outputs": tuple(one.model_copy(update=changed) for one in record.outputs)}
    )


def train(records: list[BuildRecord], spec: str = SPEC, machine: Machine = HERE) -> tuple[float, str] | None:
    time = expected_times(spec_of(spec), {"train": machine}, records)["train"]
    return (time.seconds, time.basis) if time else None


def test_the_median_of_what_it_took_here(record: BuildRecord) -> None:
    records = [took(record, seconds) for seconds in (999, 10, 30, 20, 60, 40)]
    assert train(records) == (30, "as the median of 5 builds here"), "the oldest does not count"
    assert train(records[:1]) == (999, "as 1 build here")


def test_the_same_machine_counts_before_others(record: BuildRecord) -> None:
    records = [took(record, 10), took(record, 50, builder="gpu1")]
    assert train(records) == (10, "as 1 build here")
    assert train(records, machine=GPU1) == (50, "as 1 build there")
    assert train(records[1:]) == (50, "as 1 build on other machines")


def test_what_failed_or_had_other_parameters_tells_nothing(record: BuildRecord) -> None:
    assert train([took(record, 10, status="failed")]) is None
    assert train([took(record, 10)], edited("epochs = 3", "epochs = 4")) is None


def test_the_plan_counts_where_nothing_was_measured(record: BuildRecord) -> None:
    assert train([], PLANNED) == (7200, "as planned")
    assert train([took(record, 10)], PLANNED) == (10, "as 1 build here")
    assert train([]) is None


def refused(tmp_path: Path, quota: Quota, spec: str = PLANNED) -> QuotaError:
    world = World(tmp_path)
    world.require_quota = quota.require
    with pytest.raises(QuotaError) as caught:
        world.service().run(world.project(spec=spec), BuildRequest(stages=("train",)), world.new_view)
    assert (world.fetched, world.realised, world.kept) == ([], [], [])
    return caught.value


def prepared(spec: str) -> str:
    return f"{spec}\n[stages.prepare.resources]\ntime_s = 360\n"


def test_too_long_a_build_is_refused_before_anything_is_fetched(tmp_path: Path) -> None:
    error = refused(tmp_path, Quota(World(tmp_path), hours=2), prepared(PLANNED))
    assert (error.expected, error.actual) == ("2 hours at most", "2.1 hours")
    assert error.details == ("prepare: 0.1 h, as planned", "train: 2 h, as planned")
    assert error.exit_status == 1


def test_what_nobody_can_say_is_refused_with_the_line_to_write(tmp_path: Path) -> None:
    error = refused(tmp_path, Quota(World(tmp_path), hours=100))
    assert "how long prepare will run" in error.message
    assert "[stages.prepare.resources]" in (error.hint or "")


def test_gpu_hours_are_those_of_stages_on_a_gpu(tmp_path: Path) -> None:
    planned = on_gpu("[stages.train.resources]\ntime_s = 7200\n[stages.prepare.resources]\ntime_s = 36000")
    placed = {"prepare": HERE, "train": GPU1}
    Quota(World(tmp_path), gpu_hours=2).require(spec_of(planned), placed)
    with pytest.raises(QuotaError, match="more than is allowed") as caught:
        Quota(World(tmp_path), gpu_hours=1.9).require(spec_of(planned), placed)
    assert caught.value.actual == "2 GPU hours"


def test_enough_is_enough(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.require_quota = Quota(world, hours=2.1).require
    world.service().run(
        world.project(spec=prepared(PLANNED)), BuildRequest(stages=("train",)), world.new_view
    )
    assert world.realised
