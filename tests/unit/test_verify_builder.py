"""`verify --builder`: a rebuild is one that ran on that machine, never what it had already."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from reprobuild.domain.build_event import BuildStarted, BuildStopped, Event
from reprobuild.domain.drv import DrvFile
from reprobuild.domain.machine import Machine
from reprobuild.domain.store import Derivation, PathInfo
from reprobuild.domain.verdict import StageVerdict, Verdict
from reprobuild.errors import NoBuilderError
from reprobuild.services.build import BuildRequest, BuildService
from reprobuild.services.elsewhere import Elsewhere
from reprobuild.services.preflight import Preflight
from reprobuild.services.project import Project
from reprobuild.services.rebuild import Rebuilder
from reprobuild.services.remote import RemoteBuilder
from reprobuild.services.verify import VerifyService

from .build_fakes import World
from .spec_examples import on_gpu
from .test_remote_builder import FarMachine

GPU1 = Machine("ssh-ng://root@gpu1", ("x86_64-linux",))


@dataclass
class Far(FarMachine):
    """Hands on real events of what it builds, and its outputs to the world here."""

    world: World = field(kw_only=True)
    ran: list[tuple[str, str]] = field(default_factory=list)

    def infos(self, paths: Sequence[str]) -> dict[str, PathInfo]:
        return self.world.infos(paths)

    def bring(self, paths: Sequence[str], on_event: Callable[[Event], None]) -> None:
        self.world.valid |= set(paths)

    def realise(
        self,
        drv_paths: Sequence[str],
        on_event: Callable[[Event], None],
        *,
        jobs: int | None = None,
        keep_going: bool = False,
        check: bool = False,
    ) -> int:
        for number, path in enumerate(drv_paths):
            drv = self.world.drv(Derivation(path, "").name)
            if check or drv.out_path not in self.valid:  # as Nix: what is valid is not built
                self.ran.append(("check" if check else "build", drv.name))
                on_event(BuildStarted(number, path, ""))
                on_event(BuildStopped(number, path))
                self.valid.add(drv.out_path)
        return 0


@dataclass
class TwoMachines:
    """A model that was built, with its record; train's output is not here."""

    world: World
    far: Far
    named: Collection[Machine] = (GPU1,)
    listed: Sequence[Machine] = ()

    def remote(self, project: Project, machine: Machine) -> RemoteBuilder:
        def read(path: str) -> DrvFile:
            out = {"out": self.world.drv(Derivation(path, "").name).out_path}
            return DrvFile(out, {}, (), "x86_64-linux", "/sh", (), {"reprobuildStage": "{}"})

        return RemoteBuilder(
            machine=self.far, store=self.world, read_drv=read, fetch=lambda paths: None, source_bytes={}
        )

    def build_service(self) -> BuildService:
        world = self.world
        return BuildService(
            evaluator=world,
            store=world,
            builder=world,
            host=world,
            records=world,
            fetch=world.fetch,
            log_file=lambda drv_path: None,
            sandbox_problem=lambda: None,
            preflight=Preflight(
                lambda: world.here, lambda: self.listed, world.said.append, tuple(self.named)
            ),
            elsewhere=Elsewhere(self.remote, world.fetch),
        )

    def verify(self, *stages: str, rounds: int = 1) -> Verdict:
        world = self.world
        service = VerifyService(
            build=self.build_service(),
            store=world,
            records=world,
            rebuilder=Rebuilder(world, world, world.new_view, lambda drv_path: None),
            new_view=world.new_view,
            remote_rebuilder=lambda project, machine: Rebuilder(
                self.remote(project, machine),
                world,
                world.new_view,
                lambda drv_path: None,
                machine=machine.name,
            ),
        )
        return service.run(world.project(), stages=stages, rounds=rounds)


@pytest.fixture
def two(tmp_path: Path) -> TwoMachines:
    world = World(tmp_path)
    world.service().run(world.project(), BuildRequest(), world.new_view)
    world.realised.clear()
    far = Far(machine=GPU1, world=world, valid=set(world.valid))
    world.valid.discard(world.drv("digits-train").out_path)
    return TwoMachines(world, far)


def said(stage: StageVerdict) -> tuple[str, str, int, int]:
    return stage.first_build, stage.verdict, stage.equal, stage.rounds


@pytest.mark.parametrize("rounds", [1, 2])
def test_what_stayed_on_the_builder_is_rebuilt_there_before_it_is_equal(
    two: TwoMachines, rounds: int
) -> None:
    (train,) = two.verify("train", rounds=rounds).stages
    assert two.far.ran == [("check", "digits-train")] * rounds
    assert said(train) == ("store", "same bytes", rounds, rounds)
    assert train.builder == "gpu1" and not two.world.realised


def test_a_rebuild_of_which_nothing_was_heard_is_none(two: TwoMachines) -> None:
    two.far.realise = lambda *_, **__: 0  # type: ignore[method-assign]
    (train,) = two.verify("train", rounds=2).stages
    assert said(train) == ("store", "failed", 0, 2) and "nothing was compared" in (train.reason or "")


def test_what_is_gone_everywhere_is_built_there_once_and_that_is_a_rebuild(two: TwoMachines) -> None:
    two.far.valid.discard(two.world.drv("digits-train").out_path)
    (train,) = two.verify("train").stages
    assert two.far.ran == [("build", "digits-train")]
    assert said(train) == ("record", "same bytes", 1, 1)


def test_what_no_record_knows_and_the_builder_has_is_rebuilt_there(two: TwoMachines) -> None:
    two.world.kept.clear()
    (train,) = two.verify("train").stages
    assert two.far.ran == [("check", "digits-train")]
    assert said(train) == ("store", "same bytes", 1, 1)


GPU_ONLY = replace(GPU1, mandatory=frozenset({"cuda"}))


def test_a_builder_that_takes_none_of_the_stages_is_refused_with_a_table(two: TwoMachines) -> None:
    two.named = (GPU_ONLY,)
    with pytest.raises(NoBuilderError, match="none of the builders that were named") as caught:
        two.verify()
    assert [offer["takes only"] for offer in caught.value.offers] == ["✗ what asks for cuda"]
    assert not two.far.ran and not two.world.realised


def test_what_the_named_builder_does_not_take_is_rebuilt_here_and_that_is_said(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.project(spec=on_gpu(""))
    gpu = replace(GPU_ONLY, supported=frozenset())
    two = TwoMachines(world, Far(machine=gpu, world=world), (gpu,))
    assert [one.builder for one in two.verify().stages] == ["", "gpu1", ""]
    here = "on this machine (no builder that was named takes it)"
    assert world.said == [
        f"stage prepare runs {here}",
        "stage train runs on gpu1",
        f"the model is rebuilt {here}",
    ]


def test_a_stage_that_a_build_gives_to_a_listed_builder_is_rebuilt_there(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.project(spec=on_gpu(""))
    gpu = replace(GPU1, supported=frozenset({"cuda"}))
    world.builders = [gpu]
    world.service().run(world.project(), BuildRequest(), world.new_view)
    world.said.clear()
    two = TwoMachines(world, Far(machine=gpu, world=world, valid=set(world.valid)), (), [gpu])
    verdict = two.verify()
    assert [(one.label, one.builder) for one in verdict.stages] == [
        ("prepare", ""), ("train", "gpu1"), ("model", "")
    ]  # fmt: skip
    assert two.far.ran == [("check", "digits-train")] and world.said == ["stage train runs on gpu1"]


def test_a_stage_that_fits_nowhere_is_not_rebuilt_but_compared_with_what_is_offered(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.project(spec=on_gpu(""))
    with pytest.raises(NoBuilderError, match="stage train: no known builder"):
        TwoMachines(world, Far(machine=GPU1, world=world), ()).verify()
    two = TwoMachines(world, Far(machine=GPU1, world=world), ())
    assert two.verify("prepare").stages[0].verdict == "same bytes"


def test_a_result_that_was_left_there_before_is_said_to_be_there(two: TwoMachines) -> None:
    request = BuildRequest(stages=("train",), record_only=True)
    outcome = two.build_service().run(two.world.project(), request, two.world.new_view)
    assert outcome.left_on == {two.world.drv("digits-train").out_path: "gpu1"} and not two.far.ran
