"""Before anything is fetched or built: which machine runs which stage, or why none can."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Sequence

from reprobuild.core.placement import fits, place, stage_needs
from reprobuild.domain.machine import Machine
from reprobuild.domain.spec import Spec
from reprobuild.domain.store import Derivation, Instantiation


class Preflight:
    """
    Args:
        builders: other machines; asked only for stages that this machine cannot run.
        say: told once of every stage that another machine will run.
    """

    def __init__(
        self,
        this_machine: Callable[[], Machine],
        builders: Callable[[], Sequence[Machine]],
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._this_machine = this_machine
        self._builders = builders
        self._say = say
        self._said: set[str] = set()

    def __call__(
        self,
        spec: Spec,
        found: Instantiation,
        missing: Collection[Derivation],
        *,
        jobs: int | None = None,
    ) -> dict[str, Machine]:
        """Stage → the machine that runs it, for the stages among what is missing.

        Args:
            jobs: builds at the same time on this machine, where the user says so.
        Raises:
            NoBuilderError: a stage fits nowhere.
        """
        needs = stage_needs(spec, found, missing)
        if not needs:
            return {}
        here = self._this_machine()
        if jobs is not None:
            here = dataclasses.replace(here, max_jobs=jobs)
        others = () if all(fits(need, here) for need in needs) else self._builders()
        placed = place(needs, (here, *others))
        for label, machine in placed.items():
            if not machine.is_local and label not in self._said:
                self._say(f"stage {label} runs on {machine.name}")
                self._said.add(label)
        return placed
