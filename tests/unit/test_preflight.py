"""Before a build: which machine runs each stage; where none can, nothing is fetched or built."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from reprobuild.core.placement import Need, stage_needs
from reprobuild.core.spec_parse import parse_spec, parse_toml
from reprobuild.domain.machine import Machine
from reprobuild.errors import NoBuilderError
from reprobuild.services.build import BuildRequest
from reprobuild.services.preflight import Preflight

from .build_fakes import World
from .spec_examples import on_gpu, with_section

GPU1 = Machine("ssh-ng://root@gpu1", ("x86_64-linux",), frozenset({"cuda", "cuda-sm-90"}))


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.project(spec=on_gpu('compute_capability = "9.0"'))
    return made


def test_a_stage_that_fits_nowhere_stops_the_build_before_any_fetch(world: World) -> None:
    with pytest.raises(NoBuilderError) as caught:
        world.service().run(world.project(), BuildRequest(), world.new_view)
    assert "cuda-sm-90" in (caught.value.expected or "")
    assert (world.fetched, world.realised, world.kept) == ([], [], [])


def test_a_stage_that_another_machine_runs_is_said_before_the_build(world: World) -> None:
    world.builders = [GPU1]
    world.service().run(world.project(), BuildRequest(), world.new_view)
    assert world.said == ["stage train runs on gpu1"]


def test_what_is_built_already_needs_no_machine(world: World) -> None:
    world.builders = [GPU1]
    world.service().run(world.project(), BuildRequest(), world.new_view)
    world.builders = []
    world.service().run(world.project(), BuildRequest(), world.new_view)


def test_other_machines_are_not_asked_for_what_this_one_can_run(tmp_path: Path) -> None:
    def never() -> Sequence[Machine]:
        raise AssertionError("asked")

    world = World(tmp_path)
    project = world.project()
    found = world.service().instantiate(project)
    placed = Preflight(lambda: world.here, never)(project.spec, found, found.all())
    assert set(placed.values()) == {world.here} and set(placed) == set(found.stages)


def test_jobs_asked_for_here_overrule_a_configuration_without(tmp_path: Path) -> None:
    world = World(tmp_path, here=Machine("", ("x86_64-linux",), max_jobs=0))
    with pytest.raises(NoBuilderError, match="no known builder"):
        world.service().run(world.project(), BuildRequest(), world.new_view)
    world.service().run(world.project(), BuildRequest(jobs=1), world.new_view)


def test_a_portable_model_needs_a_processor_that_nix_calls_v3(tmp_path: Path) -> None:
    world = World(tmp_path)
    found = world.service().instantiate(world.project())
    spec = parse_spec(parse_toml(with_section('[numerics]\nlevel = "portable"')))
    assert stage_needs(spec, found, found.all())[0] == Need("prepare", "x86_64-v3-linux")


def test_a_processor_without_avx2_is_told_what_a_portable_model_needs(tmp_path: Path) -> None:
    world = World(tmp_path)
    project = world.project(spec=with_section('[numerics]\nlevel = "portable"'))
    with pytest.raises(NoBuilderError, match=r"numerics\.level portable needs a processor"):
        found = world.service().instantiate(project)
        Preflight(lambda: world.here, list)(project.spec, found, found.all())


def test_a_builder_that_is_named_and_listed_stands_once_in_the_table(world: World) -> None:
    other = Machine("ssh-ng://root@gpu2", ("x86_64-linux",), frozenset({"cuda"}))
    project = world.project()
    found = world.service().instantiate(project)
    with pytest.raises(NoBuilderError) as caught:
        Preflight(lambda: world.here, lambda: [other], named=[other])(project.spec, found, found.all())
    assert [offer["builder"] for offer in caught.value.offers] == ["this machine", "gpu2"]


def test_what_is_no_stage_is_built_where_a_build_fits(tmp_path: Path) -> None:
    world = World(tmp_path, here=Machine("", ("x86_64-linux",), max_jobs=0))
    cpu = Machine("ssh-ng://root@cpu", ("x86_64-linux",))
    only_gpu = Machine("ssh-ng://root@gpu", ("x86_64-linux",), mandatory=frozenset({"cuda"}))
    spec = world.project().spec
    assert Preflight(lambda: world.here, lambda: [only_gpu, cpu]).without_features(spec) is cpu
    assert Preflight(lambda: world.here, lambda: [cpu]).without_features(spec, jobs=1).is_local
    assert Preflight(lambda: world.here, lambda: [only_gpu]).without_features(spec).is_local


def test_a_stage_that_stays_here_though_a_builder_was_named_is_said(tmp_path: Path) -> None:
    world = World(tmp_path)
    gpu = Machine("ssh-ng://root@gpu", ("x86_64-linux",), mandatory=frozenset({"cuda"}))
    project = world.project()
    found = world.service().instantiate(project)
    Preflight(lambda: world.here, list, world.said.append, named=[gpu])(project.spec, found, found.all())
    assert world.said[0] == "stage prepare runs on this machine (no builder that was named takes it)"
