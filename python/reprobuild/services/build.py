"""Build a project: evaluate, realise what is missing, keep it, and write the record."""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reprobuild import __version__
from reprobuild.core.build_failure import failure
from reprobuild.core.build_tree import BuildState, BuildStatus, BuildTree
from reprobuild.domain.build_event import Event
from reprobuild.domain.digest import Digest
from reprobuild.domain.record import BuildRecord, OutputRecord
from reprobuild.domain.store import Derivation, Instantiation
from reprobuild.errors import InterruptedBuildError, SandboxError, UsageError
from reprobuild.ports import Builder, BuildView, Evaluator, HostFacts, RecordStore, Store
from reprobuild.services.artifact import Artifact, read_artifact
from reprobuild.services.project import Project, require_fresh_lock

NewView = Callable[[Mapping[str, str]], BuildView]


@dataclass(frozen=True)
class BuildRequest:
    """What of a project to build.

    Args:
        stages: only these (with what they need); empty: the whole model.
        environment_only: build no stage, but what all of them run in.
        out_link: link that keeps the result; None: no link.
    """

    stages: tuple[str, ...] = ()
    environment_only: bool = False
    out_link: Path | None = None
    jobs: int | None = None
    keep_going: bool = False


@dataclass(frozen=True)
class BuildOutcome:
    instantiation: Instantiation
    outputs: dict[str, str]  # label -> store path of what was asked for
    built: tuple[str, ...]  # labels (or names) built now
    artifact: Artifact | None
    record_path: Path | None
    other_build: BuildRecord | None  # an earlier build of this version with other bytes
    duration_s: float


class BuildService:
    def __init__(
        self,
        *,
        evaluator: Evaluator,
        store: Store,
        builder: Builder,
        host: HostFacts,
        records: RecordStore,
        fetch_missing: Callable[[Project], None],
        log_file: Callable[[str], Path | None],
        sandbox_problem: Callable[[], str | None],
    ) -> None:
        self._evaluator = evaluator
        self._store = store
        self._builder = builder
        self._host = host
        self._records = records
        self._fetch_missing = fetch_missing
        self._log_file = log_file
        self._sandbox_problem = sandbox_problem

    def instantiate(self, project: Project) -> Instantiation:
        """The project's derivations.

        Raises:
            LockMissingError, LockStaleError: the lock does not belong to this spec.
        """
        require_fresh_lock(project)
        return self._evaluator.instantiate(project.path, project.overrides, project.spec.stage_order())

    def run(self, project: Project, request: BuildRequest, new_view: NewView) -> BuildOutcome:
        """Build and keep.

        Args:
            new_view: from groups (drv path -> what it is one of, such as wheels) to what shows the build.
        Raises:
            BuildFailedError, FeatureMissingError, ContentMismatchError: with the stage's last lines and its log.
            InterruptedBuildError: after everything that ran has ended.
        """
        begun_s = time.monotonic()
        found = self.instantiate(project)
        targets = (
            {"environment": found.environment}
            if request.environment_only
            else _targets(found, request.stages)
        )
        wanted = {drv.out_path for drv in targets.values()}
        built: tuple[str, ...] = ()
        record_path = None
        if self._store.present(sorted(wanted)) != wanted:
            built, record_path = self._realise(project, found, targets, request, new_view)
        self._keep(project, found, targets, request)
        model = targets.get("model")
        artifact = read_artifact(Path(model.out_path)) if model else None
        return BuildOutcome(
            instantiation=found,
            outputs={label: drv.out_path for label, drv in targets.items()},
            built=built,
            artifact=artifact,
            record_path=record_path,
            other_build=self._same_version_other_bytes(artifact) if built and artifact else None,
            duration_s=time.monotonic() - begun_s,
        )

    def _realise(
        self,
        project: Project,
        found: Instantiation,
        targets: dict[str, Derivation],
        request: BuildRequest,
        new_view: NewView,
    ) -> tuple[tuple[str, ...], Path]:
        if (problem := self._sandbox_problem()) is not None:
            raise SandboxError(
                "builds on this host would not be hermetic, so nothing was built",
                expected="Nix's sandbox",
                actual=problem,
                hint="run `reprobuild doctor`: it says how to mend this",
            )
        valid = self._store.present([drv.out_path for drv in found.all()])
        if not {drv.out_path for drv in (found.base, *found.wheels)} <= valid or project.spec.datasets:
            self._fetch_missing(project)
        planned = [drv.drv_path for drv in _needed(project, found, targets) if drv.out_path not in valid]
        tree = BuildTree(planned, found.labels())
        view = new_view({wheel.drv_path: "wheels" for wheel in found.wheels})
        started, started_s = _now(), time.monotonic()

        def hear(event: Event) -> None:
            now_s = time.monotonic()
            tree.apply(event, now_s)
            view.event(event, tree, now_s)

        status, interrupted = 1, False
        view.start(tree, started_s)
        try:
            status = self._builder.realise(
                [drv.drv_path for drv in targets.values()],
                hear,
                jobs=request.jobs,
                keep_going=request.keep_going,
            )
        except KeyboardInterrupt:
            interrupted = True
        finally:
            tree.finish(time.monotonic(), succeeded=status == 0)
            view.finish(tree, time.monotonic())
        record = self._record(project, found, tree, started, started_s, status, interrupted)
        path = self._records.write(record)
        if interrupted:
            raise InterruptedBuildError(
                f"{project.spec.model.name}: build interrupted; nothing half-made is left",
                hint="run the same command again: finished stages are kept",
            )
        if status != 0:
            raise failure(status, tree, self._log_file, str(project.path))
        done = tree.with_status(BuildStatus.DONE)
        return tuple(state.label or state.name for state in done), path

    def _keep(
        self, project: Project, found: Instantiation, targets: dict[str, Derivation], request: BuildRequest
    ) -> None:
        """Roots for every finished stage and the asked-for results, so that garbage collection spares them."""
        if request.out_link is not None:
            for label, drv in targets.items():
                single = len(targets) == 1
                link = (
                    request.out_link
                    if single
                    else request.out_link.with_name(f"{request.out_link.name}-{label}")
                )
                if not _leads_to(link, drv.out_path):
                    self._store.add_root(link, drv.out_path)
        roots = project.state_dir / "roots"
        kept = {
            label: drv for label, drv in found.stages.items() if not _leads_to(roots / label, drv.out_path)
        }
        valid = self._store.present([drv.out_path for drv in kept.values()])
        for label, drv in kept.items():
            if drv.out_path in valid:
                self._store.add_root(roots / label, drv.out_path)

    def _same_version_other_bytes(self, artifact: Artifact) -> BuildRecord | None:
        earlier = [
            record
            for _, record in self._records.all()
            if (record.model, record.version) == (artifact.name, artifact.version)
            and record.artifact_id not in (None, artifact.artifact_id)
        ]
        return earlier[-1] if earlier else None

    def _record(
        self,
        project: Project,
        found: Instantiation,
        tree: BuildTree,
        started: str,
        started_s: float,
        status: int,
        interrupted: bool,
    ) -> BuildRecord:
        named = {**found.stages, "model": found.model}
        valid = self._store.present([drv.out_path for drv in named.values()])
        artifact = read_artifact(Path(found.model.out_path)) if found.model.out_path in valid else None
        spec = project.spec.model_dump(mode="json", by_alias=True, exclude_none=True)
        labelled = {drv.drv_path for drv in named.values()}
        return BuildRecord(
            model=project.spec.model.name,
            version=project.spec.model.version,
            artifact_id=artifact.artifact_id if artifact else None,
            project=str(project.path),
            spec_digest=Digest.of_bytes(json.dumps(spec, sort_keys=True, ensure_ascii=False).encode()),
            lock_digest=Digest.of_bytes(project.lock_path.read_bytes()),
            overrides=project.overrides,
            started=started,
            finished=_now(),
            status="interrupted" if interrupted else "built" if status == 0 else "failed",
            reprobuild_version=__version__,
            host=self._host.document(),
            outputs=tuple(
                self._output(
                    label, drv, tree.builds.get(drv.drv_path), drv.out_path in valid, started, started_s
                )
                for label, drv in named.items()
            ),
            built_others=sum(
                1 for state in tree.with_status(BuildStatus.DONE) if state.drv_path not in labelled
            ),
        )

    def _output(
        self,
        label: str,
        drv: Derivation,
        state: BuildState | None,
        valid: bool,
        started: str,
        started_s: float,
    ) -> OutputRecord:
        info = self._store.info(drv.out_path) if valid else None
        ran = state is not None and state.started_s is not None
        measured: dict[str, Any] = {}
        if state is not None and state.started_s is not None and state.finished_s is not None:
            resources = state.resources or {}
            log = self._log_file(drv.drv_path)
            measured = {
                "started": _later(started, state.started_s - started_s),
                "duration_s": round(state.finished_s - state.started_s, 3),
                "cpu_s": resources.get("cpu_s"),
                "peak_memory_bytes": resources.get("peak_memory_bytes"),
                "loader_s": resources.get("loader_s"),
                "log_digest": state.log_digest,
                "log_path": str(log) if log else None,
                "builder": state.machine,
                "host": state.host,
            }
        return OutputRecord(
            label=label,
            drv_path=drv.drv_path,
            out_path=drv.out_path,
            nar_hash=info.nar_hash if info else None,
            nar_size_bytes=info.nar_size_bytes if info else None,
            status=("built" if ran else "reused") if valid else ("failed" if ran else "not-built"),
            **measured,
        )


def _targets(found: Instantiation, stages: tuple[str, ...]) -> dict[str, Derivation]:
    if not stages:
        return {"model": found.model}
    for name in stages:
        if name not in found.stages:
            raise UsageError(
                f"--stage {name}: there is no such stage",
                expected=f"one of {', '.join(found.stages)}",
                expected_from="reprobuild.toml",
                actual=name,
            )
    return {name: found.stages[name] for name in stages}


def _needed(project: Project, found: Instantiation, targets: dict[str, Derivation]) -> tuple[Derivation, ...]:
    """All derivations that the targets can need, in building order."""
    if "model" in targets:
        return found.all()
    if "environment" in targets:
        return (found.base, *found.wheels, found.environment)
    names: set[str] = set()
    todo = list(targets)
    while todo:
        name = todo.pop()
        if name not in names:
            names.add(name)
            todo.extend(project.spec.stages[name].needs)
    stages = (drv for name, drv in found.stages.items() if name in names)
    return (found.base, *found.wheels, found.environment, *stages)


def _leads_to(link: Path, path: str) -> bool:
    return link.is_symlink() and str(link.readlink()) == path


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _later(moment: str, seconds: float) -> str:
    shifted = datetime.datetime.fromisoformat(moment) + datetime.timedelta(seconds=seconds)
    return shifted.isoformat(timespec="milliseconds").replace("+00:00", "Z")
