"""A small world behind the build service's ports: a store, a Nix that follows a script, records in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reprobuild.core.build_tree import BuildTree
from reprobuild.domain.build_event import (
    BuildStarted,
    BuildStopped,
    Event,
    Level,
    LogLine,
    Message,
    StageHardware,
    StageResources,
)
from reprobuild.domain.digest import Digest
from reprobuild.domain.lock import Lock, Source
from reprobuild.domain.machine import Machine
from reprobuild.domain.record import BuildRecord, Revision
from reprobuild.domain.spec import Spec
from reprobuild.domain.store import Derivation, Instantiation, PathInfo
from reprobuild.services.build import BuildService
from reprobuild.services.preflight import Preflight
from reprobuild.services.project import Project, open_project
from reprobuild.services.rebuild import Rebuilder
from reprobuild.services.verify import VerifyService

from .artifact_examples import write_artifact
from .spec_examples import SPEC
from .test_lock_format import PIN, data


class FakeView:
    """ports.BuildView that counts what it was told."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def start(self, tree: BuildTree, now_s: float) -> None:
        self.calls.append("start")

    def event(self, event: Event, tree: BuildTree, now_s: float) -> None:
        self.calls.append("event")

    def finish(self, tree: BuildTree, now_s: float) -> None:
        self.calls.append("finish")


@dataclass
class World:
    """Everything outside of the services; change its fields to make things go wrong."""

    folder: Path
    failing: dict[str, list[str]] = field(default_factory=dict)  # name of a derivation -> its log lines
    differing: set[str] = field(default_factory=set)  # rebuilds of these give other bytes
    at_check: Callable[[], None] = lambda: None  # what a rebuild leaves behind
    last_words: str = ""  # of a stage whose rebuild fails
    interrupt_at: str = ""
    sandbox: str | None = None
    content: bytes = b"weights"
    valid: set[str] = field(default_factory=set)
    nar_hashes: dict[str, Digest] = field(
        default_factory=dict
    )  # store path -> a hash other than the usual one
    roots: dict[str, str] = field(default_factory=dict)  # link -> store path
    kept: list[tuple[Path, BuildRecord]] = field(default_factory=list)
    locks: dict[Digest, bytes] = field(default_factory=dict)
    realised: list[tuple[list[str], dict[str, Any]]] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    offered: set[str] = field(default_factory=set)  # store paths that binary caches have, signed
    whole: bool = True  # what binary caches have is not damaged
    taken: list[str] = field(default_factory=list)  # from binary caches
    view: FakeView = field(default_factory=FakeView)
    here: Machine = field(default_factory=lambda: Machine("", ("x86_64-linux",)))
    builders: list[Machine] = field(default_factory=list)
    require_quota: Callable[[Spec, Mapping[str, Machine]], None] | None = None
    said: list[str] = field(default_factory=list)

    def project(self, *assignments: str, spec: str = SPEC) -> Project:
        home = self.folder / "project"
        if not home.exists():
            home.mkdir()
            for name in ("prepare.py", "train.py", "rows.csv"):
                (home / name).write_text("1")
            (home / "reprobuild.toml").write_text(spec)
            fresh = open_project(home)
            lock = Lock(
                inputs=fresh.input_digests(), systems={"x86_64-linux": PIN}, sources=(data("rows", b"1"),)
            )
            fresh.lock_path.write_text(lock.to_text())
        return open_project(home, assignments)

    def service(self, revision: Callable[[Project], Revision | None] = lambda project: None) -> BuildService:
        return BuildService(
            evaluator=self,
            store=self,
            builder=self,
            host=self,
            records=self,
            fetch=self.fetch,
            log_file=lambda drv_path: Path("/nix/var/log") / Path(drv_path).name,
            sandbox_problem=lambda: self.sandbox,
            preflight=Preflight(
                lambda: self.here, lambda: self.builders, self.said.append, require_quota=self.require_quota
            ),
            revision=revision,
            offers=lambda paths, caches: self.offered & set(paths),
        )

    def verify_service(self) -> VerifyService:
        return VerifyService(
            build=self.service(),
            store=self,
            records=self,
            rebuilder=Rebuilder(self, self, self.new_view, lambda drv_path: None),
            new_view=self.new_view,
        )

    def drv(self, name: str) -> Derivation:
        return Derivation(
            f"/nix/store/{'a' * 32}-{name}.drv", str(self.folder / "store" / f"{'a' * 32}-{name}")
        )

    def new_view(self, groups: Mapping[str, str]) -> FakeView:
        return self.view

    def fetch(self, project: Project, sources: Sequence[Source]) -> None:
        self.fetched += [source.name for source in sources]

    # ports.Evaluator
    def instantiate(
        self,
        project: Path,
        overrides: Mapping[str, Any],
        stage_order: Sequence[str],
        replaced: Mapping[str, str] = {},
    ) -> Instantiation:
        return Instantiation(
            model=self.drv("digits-1.0.0"),
            stages={name: self.drv(f"digits-{name}") for name in stage_order},
            environment=self.drv("digits-environment"),
            base=self.drv("digits-base"),
            wheels=(self.drv("wheel-numpy"),),
        )

    # ports.Store
    def present(self, paths: Sequence[str]) -> set[str]:
        return set(paths) & self.valid

    def substitute(self, paths: Sequence[str], caches: Sequence[str]) -> set[str]:
        self.taken += paths
        self.valid |= set(paths) if self.whole else set()
        return set(paths) & self.valid

    def add_root(self, link: Path, path: str) -> None:
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(path)
        self.roots[link.name] = path

    def add(self, path: Path) -> str:
        return f"/nix/store/{'c' * 32}-{path.name}"

    def info(self, path: str) -> PathInfo:
        return PathInfo(path, self.nar_hashes.get(path, Digest.of_bytes(path.encode())), 7)

    def infos(self, paths: Sequence[str]) -> dict[str, PathInfo]:
        return {path: self.info(path) for path in paths}

    # ports.HostFacts
    def document(self) -> dict[str, Any]:
        return {"name": "here"}

    # ports.RecordStore
    def write(self, record: BuildRecord) -> Path:
        path = Path(f"/records/{len(self.kept)}.json")
        self.kept.append((path, record))
        return path

    def of_version(self, model: str, version: str) -> list[BuildRecord]:
        return [record for _, record in self.kept if (record.model, record.version) == (model, version)]

    def of_model(self, model: str) -> list[BuildRecord]:
        return [record for _, record in self.kept if record.model == model]

    def all(self) -> Iterator[tuple[Path, BuildRecord | None]]:
        return iter(self.kept)

    def keep_lock(self, content: bytes) -> None:
        self.locks[Digest.of_bytes(content)] = content

    def lock(self, digest: Digest) -> bytes | None:
        return self.locks.get(digest)

    # ports.Builder
    def realise(
        self,
        drv_paths: Sequence[str],
        on_event: Callable[[Event], None],
        *,
        jobs: int | None = None,
        keep_going: bool = False,
        check: bool = False,
        caches: Sequence[str] = (),
    ) -> int:
        self.realised.append((list(drv_paths), {"jobs": jobs, "keep_going": keep_going, "check": check}))
        if check:
            return self._check(drv_paths[0], on_event)
        asked = [self.drv(name) for name in self._with_needs(drv_paths)]
        for number, drv in enumerate(asked):
            if drv.out_path in self.valid:
                continue
            on_event(BuildStarted(number, drv.drv_path, ""))
            if drv.name == self.interrupt_at:
                raise KeyboardInterrupt
            for line in self.failing.get(drv.name, ()):
                on_event(LogLine(number, drv.drv_path, line))
            if drv.name in self.failing:
                on_event(Message(Level.ERROR, f"error: builder for '{drv.drv_path}' failed with exit code 1"))
                return 100
            resources = {"wall_s": 1.0, "cpu_s": 2.0, "peak_memory_bytes": 1000, "threads": 2}
            on_event(StageHardware(number, drv.drv_path, drv.name, {"gpus": []}))
            on_event(StageResources(number, drv.drv_path, drv.name, resources))
            on_event(BuildStopped(number, drv.drv_path))
            self.valid.add(drv.out_path)
            if drv.name == "digits-1.0.0":
                write_artifact(Path(drv.out_path), self.content)
        return 0

    def kept_output(self, out_path: str) -> Path | None:
        kept = Path(f"{out_path}.check")
        return kept if kept.exists() else None

    def _with_needs(self, drv_paths: Sequence[str]) -> list[str]:
        order = [
            "digits-base",
            "wheel-numpy",
            "digits-environment",
            "digits-prepare",
            "digits-train",
            "digits-1.0.0",
        ]
        last = max(order.index(Derivation(path, "").name) for path in drv_paths)
        return order[: last + 1]

    def _check(self, drv_path: str, on_event: Callable[[Event], None]) -> int:
        name = Derivation(drv_path, "").name
        on_event(BuildStarted(1, drv_path, ""))
        if name in self.failing:
            failed = f"error: builder for '{drv_path}' failed with exit code 1;\n > {self.last_words}"
            on_event(Message(Level.ERROR, failed))
            return 100
        if name in self.differing:
            self.at_check()
            on_event(Message(Level.ERROR, f"error: derivation '{drv_path}' may not be deterministic"))
            return 104
        on_event(BuildStopped(1, drv_path))
        return 0
