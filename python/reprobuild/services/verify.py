"""Rebuild a project in a clean sandbox and judge: same bytes, same weights, same behaviour?"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from reprobuild.core.levels import demanded, judge_levels
from reprobuild.domain.comparison import Origin
from reprobuild.domain.digest import Digest
from reprobuild.domain.machine import Machine
from reprobuild.domain.store import Derivation, Instantiation
from reprobuild.domain.verdict import Level, LevelVerdict, StageVerdict, Verdict
from reprobuild.errors import BuildFailedError, BuildTimeoutError
from reprobuild.ports import RecordStore, Store
from reprobuild.services.artifact import read_artifact
from reprobuild.services.baseline_file import baseline_references
from reprobuild.services.build import BuildService, NewView, known_stage
from reprobuild.services.carry import carry
from reprobuild.services.golden import holds_tensors, judge_all_golden
from reprobuild.services.metric_values import judge_metrics, metric_values, one_run
from reprobuild.services.project import Project
from reprobuild.services.rebuild import Rebuilder

_SAME_INPUTS = LevelVerdict(level="same inputs", holds=True, reason="the same derivations were built again")


@dataclass(frozen=True)
class _Recorded:
    """What a build record says of an output."""

    nar_hash: Digest
    origin: Origin


class VerifyService:
    def __init__(
        self,
        *,
        build: BuildService,
        store: Store,
        records: RecordStore,
        rebuilder: Rebuilder,
        new_view: NewView,
        remote_rebuilder: Callable[[Project, Machine], Rebuilder] | None = None,
    ) -> None:
        self._build = build
        self._store = store
        self._records = records
        self._rebuilder = rebuilder
        self._new_view = new_view
        self._remote_rebuilder = remote_rebuilder

    def run(
        self, project: Project, *, stages: tuple[str, ...] = (), rounds: int = 1, level: Level | None = None
    ) -> Verdict:
        """Rebuild every stage and the artifact (or only `stages`), `rounds` times each.

        Each on the machine that a build would give it to.

        All are judged, even when the first one differs. What is not in the store is built first; where a build
        record has its hash, that build is the first rebuild. What another machine had already counts as none.

        Args:
            level: what decides; by default what the spec's `[numerics] level` demands.
        Raises:
            NoBuilderError: no machine can rebuild a stage, or none of those asked for any of them.
        """
        found = self._build.instantiate(project)
        named = {**found.stages, "model": found.model}
        for name in stages:
            known_stage(name, named)
        chosen = {label: drv for label, drv in named.items() if not stages or label in stages}
        rebuilders = self._rebuilders(project, found, chosen)
        here = {label for label, one in rebuilders.items() if one is self._rebuilder}
        if here:
            self._build.require_sandbox()
        recorded = self._recorded(project)
        gone = set(chosen) - self._present(chosen)
        built, failed = self._build_first(project, gone) if gone else (frozenset[str](), None)
        present = self._present(chosen)
        if present & here:
            self._build.provide_inputs(project, found, sorted(present & here), self._new_view)
        verdicts = tuple(
            self._judge(
                rebuilders[label],
                label,
                drv,
                rounds,
                recorded.get(drv.drv_path),
                was_gone=label in gone,
                built_now=drv.drv_path in built,
            )
            if label in present
            else _not_built(label, drv, failed)
            for label, drv in chosen.items()
        )
        carried = carry(project, found, verdicts, build=self._build, store=self._store, rebuilders=rebuilders)
        valid = self._present(found.stages)
        first = {label: drv.out_path for label, drv in found.stages.items() if label in valid}
        judged = judge_metrics(
            project.spec,
            one_run(metric_values(project.spec, first)),
            one_run(metric_values(project.spec, carried.outputs)),
            baseline_references(project, self._build),
        )
        golden = judge_all_golden(first, carried.outputs)
        levels = judge_levels(
            _SAME_INPUTS,
            verdicts,
            carried.comparisons,
            judged.verdicts,
            golden,
            unmeasured=judged.unmeasured,
            has_tensors=holds_tensors(first.values()),
        )
        has_model = self._present({"model": found.model})
        return Verdict(
            artifact_id=read_artifact(Path(found.model.out_path)).artifact_id if has_model else None,
            demanded=level or demanded(project.spec.numerics.level),
            levels=levels,
            stages=verdicts,
            carried=carried.comparisons,
            carry_problem=carried.problem,
            metrics=judged.verdicts,
            unmeasured=judged.unmeasured,
            golden=golden,
        )

    def _present(self, chosen: dict[str, Derivation]) -> set[str]:
        valid = self._store.present([drv.out_path for drv in chosen.values()])
        return {label for label, drv in chosen.items() if drv.out_path in valid}

    def _recorded(self, project: Project) -> dict[str, _Recorded]:
        """Derivation path → what the oldest record that has its hash says."""
        found: dict[str, _Recorded] = {}
        for record in self._records.of_version(project.spec.model.name, project.spec.model.version):
            for output in record.outputs:
                if output.nar_hash is not None and output.status == "built":
                    found.setdefault(output.drv_path, _Recorded(output.nar_hash, output.origin()))
        return found

    def _build_first(self, project: Project, labels: set[str]) -> tuple[frozenset[str], str | None]:
        """Build what is missing; the derivations that a builder ran for, and why it did not work, if so."""
        try:
            record = self._build.provide(project, sorted(labels), self._new_view)
        except (BuildFailedError, BuildTimeoutError) as error:
            # what was built before that is rebuilt once more
            return frozenset(), "\n".join([error.message, *error.details])
        outputs = record.outputs if record else ()
        return frozenset(one.drv_path for one in outputs if one.status == "built"), None

    def _rebuilders(
        self, project: Project, found: Instantiation, chosen: Collection[str]
    ) -> dict[str, Rebuilder]:
        """Label → what rebuilds it; one for each machine."""
        made: dict[Machine, Rebuilder] = {}
        rebuilders: dict[str, Rebuilder] = {}
        placed = self._build.preflight.rebuilds(project.spec, found, chosen, found.stages)
        for label, machine in placed.items():
            if machine.is_local or self._remote_rebuilder is None:
                rebuilders[label] = self._rebuilder
                continue
            if machine not in made:
                made[machine] = self._remote_rebuilder(project, machine)
            rebuilders[label] = made[machine]
        return rebuilders

    def _judge(
        self,
        rebuilder: Rebuilder,
        label: str,
        drv: Derivation,
        rounds: int,
        recorded: _Recorded | None,
        *,
        was_gone: bool,
        built_now: bool,
    ) -> StageVerdict:
        origin = recorded.origin if recorded else None
        if was_gone and recorded is not None:
            now = self._store.info(drv.out_path).nar_hash
            if now != recorded.nar_hash:
                return StageVerdict(
                    label=label, drv_path=drv.drv_path, out_path=drv.out_path, rounds=1, equal=0,
                    verdict="differs", first_build="record", builder=rebuilder.machine,
                    reason=f"the first build is gone; by its record of {recorded.origin.started} its NAR hash "
                    f"was {recorded.nar_hash}, now it is {now}",
                )  # fmt: skip
        if not built_now:  # it was here, or another machine had it: nothing was rebuilt yet
            return rebuilder.judge(label, drv, rounds, origin)
        if recorded is None:
            judged = rebuilder.judge(label, drv, rounds, None)
            return judged.model_copy(update={"first_build": "now"})
        judged = rebuilder.judge(label, drv, rounds - 1, origin)
        counts = {"rounds": judged.rounds + 1, "equal": judged.equal + 1}
        return judged.model_copy(update={"first_build": "record", **counts})


def _not_built(label: str, drv: Derivation, reason: str | None) -> StageVerdict:
    return StageVerdict(
        label=label,
        drv_path=drv.drv_path,
        out_path=drv.out_path,
        rounds=0,
        equal=0,
        verdict="failed",
        first_build="now",
        reason=reason or "a stage that it needs was not built",
    )
