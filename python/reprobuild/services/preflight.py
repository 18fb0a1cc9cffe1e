"""Before anything is fetched or built: which machine runs which stage, or why none can."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Sequence

from reprobuild.core.placement import Need, fits, place, stage_needs
from reprobuild.domain.machine import Machine
from reprobuild.domain.spec import Spec
from reprobuild.domain.store import Derivation, Instantiation


class Preflight:
    """
    Args:
        builders: other machines; asked only for stages that this machine cannot run.
        say: told once of every stage that another machine will run.
        named: machines that the user asks for: they come before this one.
    """

    def __init__(
        self,
        this_machine: Callable[[], Machine],
        builders: Callable[[], Sequence[Machine]],
        say: Callable[[str], None] = lambda text: None,
        named: Sequence[Machine] = (),
    ) -> None:
        self._this_machine = this_machine
        self._builders = builders
        self._say = say
        self._named = tuple(named)
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
        asked = [need for need in needs if any(fits(need, one) for one in self._named)]
        rest = [need for need in needs if need not in asked]
        others = () if all(fits(need, here) for need in rest) else self._builders()
        known = {one.uri: one for one in (*self._named, *others)}  # a named one is often a listed one
        placed = place(asked, self._named) | place(rest, (here, *known.values()))
        placed = {need.label: placed[need.label] for need in needs}
        for label, machine in placed.items():
            if not machine.is_local and label not in self._said:
                self._say(f"stage {label} runs on {machine.name}")
                self._said.add(label)
        return placed

    def without_features(self, spec: Spec) -> Machine:
        """Where what is no stage is built by itself: on the first machine asked for that takes it, else here."""
        need = Need("", spec.hardware.system)
        return next((one for one in self._named if fits(need, one)), None) or self._this_machine()

    def asked_for(self, spec: Spec, found: Instantiation, label: str) -> Machine | None:
        """The machine named by the user that takes a stage (or the model); None: none was named, or none does."""
        needs = stage_needs(spec, found, [found.stages[label]]) if label in found.stages else ()
        need = next(iter(needs), Need(label, spec.hardware.system))
        return next((one for one in self._named if fits(need, one)), None)
