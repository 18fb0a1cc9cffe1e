"""Build in steps on several machines: each gets what it lacks, and hands on what the next ones need."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reprobuild.core.build_needs import needed_derivations, needed_sources
from reprobuild.core.steps import Step, in_steps
from reprobuild.domain.build_event import Event
from reprobuild.domain.machine import Machine
from reprobuild.domain.store import Derivation, Instantiation, PathInfo
from reprobuild.ports import Builder
from reprobuild.services.elsewhere import Elsewhere
from reprobuild.services.project import Project, require_fresh_lock
from reprobuild.services.remote import RemoteBuilder


@dataclass(frozen=True)
class StepsBuilder:
    """Implements ports.Builder: one step after the other, each by its own builder.

    Args:
        planned: derivations that the steps will build, as far as is known before.
    """

    steps: tuple[tuple[Step, Builder], ...]
    planned: tuple[str, ...]

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
        """Build all steps' targets, whichever are named; stops at the first step that fails."""
        for step, builder in self.steps:
            asked = [drv.drv_path for drv in step.targets.values()]
            status = builder.realise(
                asked, on_event, jobs=jobs, keep_going=keep_going, check=check, caches=caches
            )
            if status != 0:
                return status
        return 0

    def kept_output(self, out_path: str) -> Path | None:
        return next((kept for _, one in self.steps if (kept := one.kept_output(out_path))), None)

    @property
    def uses_this_machine(self) -> bool:
        return any(step.machine.is_local for step, _ in self.steps)

    @property
    def machines(self) -> dict[str, str]:
        """Store path of what was asked for → the machine that has it after a run."""
        return {drv.out_path: step.machine.name for step, _ in self.steps for drv in step.targets.values()}

    @property
    def infos(self) -> dict[str, PathInfo]:
        """Store path → what the other machines' stores say of it, after a run."""
        found: dict[str, PathInfo] = {}
        for _, builder in self.steps:
            found |= builder.infos if isinstance(builder, RemoteBuilder) else {}
        return found


def prepare_steps(
    project: Project,
    found: Instantiation,
    targets: Mapping[str, Derivation],
    missing: Collection[Derivation],
    placed: Mapping[str, Machine],
    last: Machine,
    *,
    here: Builder,
    elsewhere: Elsewhere,
    record_only: bool,
) -> StepsBuilder:
    """Ask the machines what they lack, and fetch that.

    Args:
        missing: what is not in the store here.
        placed: stage → machine, for the stages among them.
        last: where what is no stage is built.
    Raises:
        BuilderError, SandboxError: a machine cannot be used; nothing was built.
    """
    stages = {label: drv for label, drv in found.stages.items() if label in placed}
    others = {label: drv for label, drv in targets.items() if label not in stages and drv in missing}
    wanted = set() if record_only else {drv.out_path for drv in targets.values()}
    locked = require_fresh_lock(project).for_system(project.spec.hardware.system)
    made: list[tuple[Step, Builder]] = []
    planned: dict[str, None] = {}
    handed_on: set[str] = set()
    for step in in_steps(project.spec, stages, others, placed, last=last):
        drv_paths = [drv.drv_path for drv in step.targets.values()]
        if step.machine.is_local:
            builds = _built_here(project, found, step, missing)
            elsewhere.fetch(project, needed_sources(project.spec, found, builds, locked))
            made.append((step, here))
            planned |= dict.fromkeys(drv.drv_path for drv in builds)
            handed_on |= {drv.out_path for drv in step.targets.values()}
            continue
        builder = elsewhere.builder(project, step.machine)
        own = {drv.out_path for drv in step.targets.values()}
        builder.bring = (own & wanted) | step.hand_on
        if record_only:
            builder.keep = {
                f"{project.spec.model.name}-{label}": drv.out_path
                for label, drv in step.targets.items()
                if label in targets
            }
        planned |= dict.fromkeys(builder.prepare(drv_paths, expected=handed_on).build)
        handed_on |= step.hand_on
        made.append((step, builder))
    return StepsBuilder(tuple(made), tuple(planned))


def _built_here(
    project: Project, found: Instantiation, step: Step, missing: Collection[Derivation]
) -> list[Derivation]:
    """What a step on this machine builds; stages of other steps come from there."""
    stages = [label for label in step.targets if label in found.stages]
    needed = needed_derivations(project.spec, found, stages) if stages else ()
    elsewhere = {drv for label, drv in found.stages.items() if label not in step.targets}
    # the model itself needs the base alone
    wanted = [found.base, *(drv for drv in needed if drv not in elsewhere), *step.targets.values()]
    return [drv for drv in dict.fromkeys(wanted) if drv in missing]
