"""Rebuild finished stages in a clean sandbox and compare the bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from reprobuild.core.build_failure import failure
from reprobuild.core.build_tree import BuildTree
from reprobuild.domain.store import Derivation
from reprobuild.domain.verdict import StageVerdict, Verdict
from reprobuild.errors import (
    EXIT_NOT_DETERMINISTIC,
    BuildFailedError,
    BuildTimeoutError,
    InterruptedBuildError,
    NotAResultError,
)
from reprobuild.ports import Builder, Store
from reprobuild.services.artifact import read_artifact
from reprobuild.services.build import BuildService, NewView, known_stage
from reprobuild.services.project import Project
from reprobuild.services.watched import realise_watched


class VerifyService:
    def __init__(
        self,
        *,
        build: BuildService,
        store: Store,
        builder: Builder,
        new_view: NewView,
        log_file: Callable[[str], Path | None],
    ) -> None:
        self._build = build
        self._store = store
        self._builder = builder
        self._new_view = new_view
        self._log_file = log_file

    def run(self, project: Project, *, stages: tuple[str, ...] = (), rounds: int = 1) -> Verdict:
        """Rebuild every stage and the artifact (or only `stages`), `rounds` times each.

        All are judged, even when the first one differs.

        Raises:
            NotAResultError: nothing was built yet.
        """
        found = self._build.instantiate(project)
        named = {**found.stages, "model": found.model}
        for name in stages:
            known_stage(name, named)
        chosen = {label: drv for label, drv in named.items() if not stages or label in stages}
        valid = self._store.present([drv.out_path for drv in chosen.values()])
        if not valid:
            raise NotAResultError(
                f"{project.spec.model.name} {project.spec.model.version} has not been built here",
                hint="run `reprobuild nix build` first",
            )
        self._build.require_sandbox()
        self._build.provide_inputs(
            project, found, [one for one in chosen if chosen[one].out_path in valid], self._new_view
        )
        verdicts = tuple(
            self._judge(label, drv, rounds) if drv.out_path in valid else _not_built(label, drv)
            for label, drv in chosen.items()
        )
        built = found.model.out_path in self._store.present([found.model.out_path])
        identity = read_artifact(Path(found.model.out_path)).artifact_id if built else None
        return Verdict(artifact_id=identity, stages=verdicts)

    def _judge(self, label: str, drv: Derivation, rounds: int) -> StageVerdict:
        equal, kept, reason = 0, None, None
        for _ in range(rounds):
            status, tree = self._rebuild(label, drv)
            messages = "\n".join(message.text for message in tree.errors)
            if status == 0:
                equal += 1
            elif status == EXIT_NOT_DETERMINISTIC or "may not be deterministic" in messages:
                kept = kept or f"{drv.out_path}.check"
            else:
                problem = failure(status, tree, self._log_file, drv.drv_path)
                if not isinstance(problem, BuildFailedError | BuildTimeoutError):
                    raise problem
                reason = reason or "\n".join([problem.message, *problem.details])
        return StageVerdict(
            label=label,
            drv_path=drv.drv_path,
            out_path=drv.out_path,
            rounds=rounds,
            equal=equal,
            verdict="same bytes" if equal == rounds else "failed" if reason else "differs",
            differing_path=kept if kept and Path(kept).exists() else None,
            reason=reason,
        )

    def _rebuild(self, label: str, drv: Derivation) -> tuple[int, BuildTree]:
        tree = BuildTree([drv.drv_path], {drv.drv_path: label})
        try:
            status = realise_watched(self._builder, [drv.drv_path], tree, self._new_view({}), check=True)
        except KeyboardInterrupt:
            raise InterruptedBuildError(f"rebuild of {label} interrupted; nothing was changed") from None
        return status, tree


def _not_built(label: str, drv: Derivation) -> StageVerdict:
    return StageVerdict(
        label=label,
        drv_path=drv.drv_path,
        out_path=drv.out_path,
        rounds=0,
        equal=0,
        verdict="not built before",
    )
