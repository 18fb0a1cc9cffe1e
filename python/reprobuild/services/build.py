"""Build a project: evaluate, realise what is missing, keep it, and write the record."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from reprobuild.core.build_failure import failure
from reprobuild.core.build_tree import BuildStatus, BuildTree
from reprobuild.core.spec_keys import nearest
from reprobuild.domain.build_event import Event
from reprobuild.domain.record import BuildRecord
from reprobuild.domain.store import Derivation, Instantiation
from reprobuild.errors import InterruptedBuildError, SandboxError, UsageError
from reprobuild.ports import Builder, BuildView, Evaluator, HostFacts, RecordStore, Store
from reprobuild.services.artifact import Artifact, read_artifact
from reprobuild.services.build_record import Moment, make_record
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

    def require_sandbox(self) -> None:
        """Raises: SandboxError: builds on this host would not be isolated."""
        if (problem := self._sandbox_problem()) is not None:
            raise SandboxError(
                "builds on this host would not be hermetic, so nothing was built",
                expected="Nix's sandbox",
                actual=problem,
                hint="run `reprobuild doctor`: it says how to mend this",
            )

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
        self.require_sandbox()
        valid = self._store.present([drv.out_path for drv in found.all()])
        if not {drv.out_path for drv in (found.base, *found.wheels)} <= valid or project.spec.datasets:
            self._fetch_missing(project)
        planned = [drv.drv_path for drv in _needed(project, found, targets) if drv.out_path not in valid]
        tree = BuildTree(planned, found.labels())
        view = new_view({wheel.drv_path: "wheels" for wheel in found.wheels})
        begun = Moment.now()

        def hear(event: Event) -> None:
            now_s = time.monotonic()
            tree.apply(event, now_s)
            view.event(event, tree, now_s)

        status, interrupted = 1, False
        view.start(tree, begun.clock_s)
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
        path = self._records.write(
            make_record(
                project,
                found,
                tree,
                begun,
                status="interrupted" if interrupted else "built" if status == 0 else "failed",
                store=self._store,
                host=self._host,
                log_file=self._log_file,
            )
        )
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
        """Roots for environment, finished stages and results: garbage collection spares them."""
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
        named = {"environment": found.environment, **found.stages}
        kept = {label: drv for label, drv in named.items() if not _leads_to(roots / label, drv.out_path)}
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


def _targets(found: Instantiation, stages: tuple[str, ...]) -> dict[str, Derivation]:
    if not stages:
        return {"model": found.model}
    return {name: known_stage(name, found.stages) for name in stages}


def known_stage(name: str, known: Mapping[str, Derivation]) -> Derivation:
    """What a `--stage` names.

    Raises:
        UsageError: there is no such stage; names the nearest one.
    """
    if name in known:
        return known[name]
    near = nearest(name, known)
    raise UsageError(
        f"--stage {name}: there is no such stage",
        expected=f"one of {', '.join(known)}",
        expected_from="reprobuild.toml",
        actual=name,
        hint=f"did you mean `{near}`?" if near else None,
    )


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
