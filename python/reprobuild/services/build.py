"""Build a project: evaluate, realise what is missing, keep it, and write the record."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from reprobuild.core.spec_keys import nearest
from reprobuild.domain.store import Derivation, Instantiation
from reprobuild.errors import SandboxError, UsageError
from reprobuild.services.artifact import Artifact, read_artifact
from reprobuild.services.project import Project, require_fresh_lock

if TYPE_CHECKING:
    from reprobuild.domain.lock import Source
    from reprobuild.domain.machine import Machine
    from reprobuild.domain.record import BuildRecord, OffPlan, Revision
    from reprobuild.ports import Builder, BuildView, Evaluator, HostFacts, RecordStore, Store
    from reprobuild.services.build_missing import Realisation
    from reprobuild.services.elsewhere import Elsewhere
    from reprobuild.services.preflight import Preflight

NewView = Callable[[Mapping[str, str]], "BuildView"]


@dataclass(frozen=True)
class BuildRequest:
    """What of a project to build.

    Args:
        stages: only these (with what they need); empty: the whole model.
        environment: base, wheels, and what else all stages stand on; alone, or beside the stages.
        caches: binary caches that finished outputs may be taken from, where Nix trusts their signatures.
        out_link: link that keeps the result; None: no link.
        record_only: what other machines build stays there.
    """

    stages: tuple[str, ...] = ()
    environment: bool = False
    caches: tuple[str, ...] = ()
    out_link: Path | None = None
    jobs: int | None = None
    keep_going: bool = False
    record_only: bool = False


@dataclass(frozen=True)
class BuildOutcome:
    instantiation: Instantiation
    outputs: dict[str, str]  # label -> store path of what was asked for
    built: tuple[str, ...]  # labels (or names) built now
    artifact: Artifact | None
    record_path: Path | None
    record: BuildRecord | None  # None where nothing was built
    other_build: BuildRecord | None  # an earlier build of this version with other bytes
    duration_s: float
    left_on: dict[str, str] = field(
        default_factory=dict
    )  # store path → machine that has it, and this one not

    @property
    def off_plan(self) -> tuple[tuple[str, OffPlan], ...]:
        """What was built now and took more or less than planned, with the stage's name."""
        outputs = self.record.outputs if self.record else ()
        return tuple((one.label, finding) for one in outputs for finding in one.off_plan)

    @property
    def unused_gpu(self) -> tuple[str, ...]:
        """Stages on a GPU, built now, that left it unused as far as can be seen."""
        return tuple(one.label for one in (self.record.outputs if self.record else ()) if one.left_gpu_unused)


class BuildService:
    def __init__(
        self,
        *,
        evaluator: Evaluator,
        store: Store,
        builder: Builder,
        host: HostFacts,
        records: RecordStore,
        fetch: Callable[[Project, Sequence[Source]], object],
        log_file: Callable[[str], Path | None],
        sandbox_problem: Callable[[], str | None],
        preflight: Preflight,
        elsewhere: Elsewhere | None = None,
        classic: Callable[[Sequence[Machine]], Builder] | None = None,
        offers: Callable[[Sequence[str], Sequence[str]], Collection[str]] = lambda paths, caches: (),
        revision: Callable[[Project], Revision | None] = lambda project: None,
    ) -> None:
        """
        Args:
            elsewhere: how builds get to other machines; None: they do not, or Nix sends them.
            classic: Nix here, told of these machines, which sends builds there itself.
            revision: where a project stands in git, for the record.
        """
        self._evaluator = evaluator
        self._store = store
        self._builder = builder
        self._records = records
        self._fetch = fetch
        self._host = host
        self._log_file = log_file
        self._revision = revision
        self._sandbox_problem = sandbox_problem
        self.preflight = preflight
        self._elsewhere = elsewhere
        self._classic = classic
        self._offers = offers  # (store paths, caches) → those that the caches have, with a trusted signature

    def instantiate(self, project: Project, replaced: Mapping[str, str] = {}) -> Instantiation:
        """The project's derivations.

        Args:
            replaced: stage name → store path to take in place of its output.
        Raises:
            LockMissingError, LockStaleError: the lock does not belong to this spec.
        """
        require_fresh_lock(project)
        order = project.spec.stage_order()
        return self._evaluator.instantiate(project.path, project.overrides, order, replaced)

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
            NoBuilderError: no known machine can run a stage; nothing was fetched or built.
            BuildFailedError, FeatureMissingError, ContentMismatchError: with the stage's last lines and its log.
            InterruptedBuildError: after everything that ran has ended.
        """
        begun_s = time.monotonic()
        found = self.instantiate(project)
        targets = _targets(found, request)
        done = self._realise(project, found, targets, request, new_view)
        paths = {drv.out_path for drv in targets.values()}
        here = self._store.present(sorted(paths)) if done else paths  # nothing was built: all was there
        self._keep_results(targets, here, request.out_link)
        model = targets.get("model")
        artifact = read_artifact(Path(model.out_path)) if model and model.out_path in here else None
        return BuildOutcome(
            instantiation=found,
            outputs={label: drv.out_path for label, drv in targets.items()},
            built=done.built if done else (),
            artifact=artifact,
            record_path=done.record_path if done else None,
            record=done.record if done else None,
            other_build=self._same_version_other_bytes(artifact) if artifact else None,
            duration_s=time.monotonic() - begun_s,
            left_on={
                drv.out_path: done.machines[drv.out_path]
                for drv in targets.values()
                if done and drv.out_path not in here
            },
        )

    def provide(self, project: Project, labels: Collection[str], new_view: NewView) -> BuildRecord | None:
        """Build these stages (or the model) where they are missing, or bring them from where they are.

        Returns the record of that; None where all was here.

        Raises: as `run`.
        """
        found = self.instantiate(project)
        named = {**found.stages, "model": found.model}
        targets = {label: named[label] for label in labels}
        done = self._realise(project, found, targets, BuildRequest(keep_going=True), new_view)
        return done.record if done else None

    def provide_inputs(
        self, project: Project, found: Instantiation, labels: Collection[str], new_view: NewView
    ) -> None:
        """Build and fetch what these stages (or the model) read, but not themselves: for shells and rebuilds.

        Raises: as `run`.
        """
        stages = [project.spec.stages[label] for label in labels if label in project.spec.stages]
        names = {need for stage in stages for need in stage.needs}
        targets = {"environment": found.environment} if stages else {}
        if stages:
            targets |= {shim.name: shim for shim in found.shims}
        if "model" in labels:
            names |= set(found.stages)
            targets["base"] = found.base
        targets |= {name: found.stages[name] for name in found.stages if name in names}
        self._realise(project, found, targets, BuildRequest(), new_view)
        data = {name for stage in stages for name in stage.data}
        sources = require_fresh_lock(project).for_system(project.spec.hardware.system)
        self._fetch(project, [one for one in sources if one.kind == "data" and one.name in data])

    def _realise(
        self,
        project: Project,
        found: Instantiation,
        targets: dict[str, Derivation],
        request: BuildRequest,
        new_view: NewView,
    ) -> Realisation | None:
        """Build what is missing; None where all was there."""
        wanted = {drv.out_path for drv in targets.values()}
        if request.caches:
            self._take(project, found, targets, request.caches)
        stages = {drv.out_path for drv in _stages(found).values()}
        valid = self._store.present(sorted(wanted | stages))
        if wanted <= valid:
            self._keep_stages(project, found, valid)
            return None
        from reprobuild.services.build_missing import MissingBuilder  # slow to load, and often not needed

        missing = MissingBuilder(
            store=self._store,
            builder=self._builder,
            host=self._host,
            records=self._records,
            fetch=self._fetch,
            log_file=self._log_file,
            revision=self._revision,
            require_sandbox=self.require_sandbox,
            preflight=self.preflight,
            elsewhere=self._elsewhere,
            classic=self._classic,
        )
        return missing.run(
            project, found, targets, request, new_view, lambda: self._keep_stages(project, found)
        )

    def _take(
        self, project: Project, found: Instantiation, targets: Collection[str], caches: Sequence[str]
    ) -> None:
        """Copy what caches have of the outputs; what they do not have, or not whole, is built."""
        paths = [drv.out_path for drv in found.all()]
        from reprobuild.core.build_needs import still_needed

        valid = self._store.present(paths)
        if not still_needed(project.spec, found, targets, valid).build:
            return
        offered = set(self._offers([path for path in paths if path not in valid], caches))
        used = still_needed(project.spec, found, targets, valid | offered).take
        self._store.substitute([drv.out_path for drv in used if drv.out_path in offered], caches)

    def _keep_results(
        self, targets: dict[str, Derivation], here: Collection[str], out_link: Path | None
    ) -> None:
        if out_link is None:
            return
        for label, drv in targets.items():
            if drv.out_path not in here:  # left on the machine that built it
                continue
            link = out_link if len(targets) == 1 else out_link.with_name(f"{out_link.name}-{label}")
            self._store.add_root(link, drv.out_path)

    def _keep_stages(
        self, project: Project, found: Instantiation, known: Collection[str] | None = None
    ) -> None:
        """Roots for the environment and every finished stage, also of a build that failed later on.

        Args:
            known: which outputs are there; None: ask the store.
        """
        named = _stages(found)
        valid = self._store.present([drv.out_path for drv in named.values()]) if known is None else known
        for label, drv in named.items():
            if drv.out_path in valid:
                self._store.add_root(project.state_dir / "roots" / label, drv.out_path)

    def _same_version_other_bytes(self, artifact: Artifact) -> BuildRecord | None:
        earlier = [
            record
            for record in self._records.of_version(artifact.name, artifact.version)
            if record.artifact_id not in (None, artifact.artifact_id)
        ]
        return earlier[-1] if earlier else None


def _stages(found: Instantiation) -> dict[str, Derivation]:
    """What keeps a root of its own, by label."""
    return {"environment": found.environment, **found.stages}


def _targets(found: Instantiation, request: BuildRequest) -> dict[str, Derivation]:
    targets: dict[str, Derivation] = {}
    if request.environment:
        targets |= {"environment": found.environment, **{shim.name: shim for shim in found.shims}}
    targets |= {name: known_stage(name, found.stages) for name in request.stages}
    return targets or {"model": found.model}


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
