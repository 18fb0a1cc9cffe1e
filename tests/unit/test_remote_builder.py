"""What goes to another machine and comes back, with a stand-in for that machine."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from reprobuild.domain.build_event import BuildStarted, Event, LogLine
from reprobuild.domain.digest import Digest
from reprobuild.domain.drv import DrvFile
from reprobuild.domain.machine import Machine
from reprobuild.domain.store import PathInfo
from reprobuild.errors import BuilderError
from reprobuild.services.remote import RemoteBuilder

from .build_fakes import World

# derivation → what it needs
NEEDS = {"rows": (), "train": ("rows",), "evaluate": ("train",)}


def drv(name: str) -> str:
    return f"/nix/store/{'d' * 32}-{name}.drv"


def out(name: str) -> str:
    return f"/nix/store/{'o' * 32}-{name}"


def read_drv(path: str) -> DrvFile:
    name = path.rpartition("-")[2].removesuffix(".drv")
    environment = {"outputHash": "…"} if name == "rows" else {"reprobuildStage": "{}"}
    inputs = {drv(one): ("out",) for one in NEEDS[name]}
    return DrvFile({"out": out(name)}, inputs, (), "x86_64-linux", "/sh", (), environment)


@dataclass
class FarMachine:
    """ports.BuildMachine: a store in memory that notes what is done to it."""

    machine: Machine = field(default_factory=lambda: Machine("ssh-ng://root@far", ("x86_64-linux",)))
    valid: set[str] = field(default_factory=set)
    caches: set[str] = field(default_factory=set)
    content: str = "usual"
    status: int = 0
    ends_with: BaseException | None = None  # after the first of what was to be built
    silent: bool = False  # it does not answer any more
    done: list[tuple[str, list[str]]] = field(default_factory=list)

    def require_sandbox(self, *, sent_by_nix: bool = False) -> None: ...

    def present(self, paths: Sequence[str]) -> set[str]:
        if self.silent:
            raise BuilderError("builder far: it cannot be reached")
        return self.valid & set(paths)

    def infos(self, paths: Sequence[str]) -> dict[str, PathInfo]:
        return {path: PathInfo(path, Digest.of_bytes((path + self.content).encode()), 7) for path in paths}

    def substitute(self, paths: Sequence[str]) -> set[str]:
        self.valid |= self.caches & set(paths)
        return self.present(paths)

    def send(
        self, paths: Sequence[str], on_event: Callable[[Event], None], *, derivations: bool = False
    ) -> None:
        if paths:
            self.done.append(("derivations" if derivations else "send", sorted(paths)))
            self.valid |= set(paths)

    def bring(self, paths: Sequence[str], on_event: Callable[[Event], None]) -> None:
        self.done.append(("bring", sorted(paths)))

    def realise(
        self,
        drv_paths: Sequence[str],
        on_event: Callable[[Event], None],
        *,
        jobs: int | None = None,
        keep_going: bool = False,
        check: bool = False,
    ) -> int:
        self.done.append(("check" if check else "realise", list(drv_paths)))
        on_event(BuildStarted(1, drv_paths[0], ""))
        on_event(LogLine(1, drv_paths[0], "epoch 1"))
        if self.ends_with:
            self.valid.add(out("train"))
            raise self.ends_with
        if self.status == 0:
            self.valid |= {read_drv(path).outputs["out"] for path in drv_paths}
        return self.status

    def unpack(self, path: str, target: Path) -> None:
        target.mkdir()
        (target / "from").write_text(path)

    def has_file(self, path: str) -> bool:
        return path.endswith(".check")

    def keep(self, name: str, path: str) -> None:
        self.done.append(("keep", [name, path]))


@dataclass
class Here:
    """This side: a store, a fetcher, what was heard."""

    store: World
    fetched: list[str] = field(default_factory=list)
    heard: list[Event] = field(default_factory=list)
    log: list[str] = field(default_factory=list)

    def builder(self, far: FarMachine, bring: Collection[str] | None = None) -> RemoteBuilder:
        return RemoteBuilder(
            machine=far, store=self.store, read_drv=read_drv, fetch=self.fetched.extend,
            source_bytes={out("rows"): 5}, keep_log=lambda _, line: self.log.append(line), bring=bring,
        )  # fmt: skip


@pytest.fixture
def here(tmp_path: Path) -> Here:
    return Here(World(tmp_path))


def test_derivations_go_first_then_what_lacks_and_the_result_comes_back(here: Here) -> None:
    far = FarMachine()
    here.store.valid.add(out("train"))
    assert here.builder(far).realise([drv("evaluate")], here.heard.append) == 0
    assert far.done == [
        ("derivations", [drv("evaluate")]),
        ("send", [out("train")]),
        ("realise", [drv("evaluate")]),
        ("bring", [out("evaluate")]),
    ]
    assert here.fetched == []


def test_events_name_the_machine_and_the_log_is_kept(here: Here) -> None:
    here.builder(FarMachine()).realise([drv("train")], here.heard.append)
    assert here.heard[0] == BuildStarted(1, drv("train"), "far")
    assert here.log == ["epoch 1"]


def test_sources_come_from_its_own_caches_before_they_are_fetched_here(here: Here) -> None:
    here.builder(FarMachine(caches={out("rows")})).realise([drv("train")], here.heard.append)
    assert here.fetched == []
    here.builder(FarMachine()).realise([drv("train")], here.heard.append)
    assert here.fetched == [out("rows")]


def test_what_is_not_wanted_stays_there_and_is_known_by_its_hash(here: Here) -> None:
    far = FarMachine()
    builder = here.builder(far, bring=())
    builder.keep = {"digits-train": out("train")}
    builder.realise([drv("train")], here.heard.append)
    assert ("bring", []) in far.done and ("keep", ["digits-train", out("train")]) in far.done
    assert out("train") in builder.infos


def test_a_failed_build_brings_nothing(here: Here) -> None:
    far = FarMachine(status=1)
    assert here.builder(far).realise([drv("train")], here.heard.append) == 1
    assert far.done[-1] == ("bring", [])


@pytest.mark.parametrize("end", [BuilderError("the connection broke"), KeyboardInterrupt()])
def test_what_was_finished_before_the_end_is_known_by_its_hash(here: Here, end: BaseException) -> None:
    builder = here.builder(FarMachine(ends_with=end))
    with pytest.raises(type(end)):
        builder.realise([drv("evaluate")], here.heard.append)
    assert set(builder.infos) == {out("train")}


def test_a_builder_that_stays_away_is_the_reason_that_is_told(here: Here) -> None:
    far = FarMachine(ends_with=BuilderError("the connection broke"))
    builder = here.builder(far)
    builder.prepare([drv("evaluate")])
    far.silent = True
    with pytest.raises(BuilderError, match="the connection broke"):
        builder.realise([drv("evaluate")], here.heard.append)


def test_a_check_compares_with_the_output_from_here(here: Here) -> None:
    far = FarMachine(status=1)
    here.store.valid.add(out("train"))
    builder = here.builder(far)
    assert builder.realise([drv("train")], here.heard.append, check=True) == 1
    assert far.done[-2:] == [("send", [out("train")]), ("check", [drv("train")])]
    kept = builder.kept_output(out("train"))
    assert kept is not None and (kept / "from").read_text() == f"{out('train')}.check"
    assert kept.name == "train.check"


def test_a_check_of_what_is_there_brings_the_inputs_that_are_not(here: Here) -> None:
    far = FarMachine(valid={out("train")})
    here.store.nar_hashes[out("train")] = far.infos([out("train")])[out("train")].nar_hash
    assert here.builder(far).realise([drv("train")], here.heard.append, check=True) == 0
    assert here.fetched == [out("rows")]
    assert far.done[1:] == [("send", [out("rows")]), ("check", [drv("train")])]


def test_other_bytes_that_were_there_before_are_a_difference_without_a_rebuild(here: Here) -> None:
    far = FarMachine(valid={out("train")}, content="other")
    builder = here.builder(far)
    assert builder.realise([drv("train")], here.heard.append, check=True) == 104
    assert not any(what == "check" for what, _ in far.done)
    assert any("may not be deterministic" in getattr(event, "text", "") for event in here.heard)
    kept = builder.kept_output(out("train"))
    assert kept is not None and (kept / "from").read_text() == out("train")
