"""Before anything is fetched or built: which machine runs which stage, or why none can."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence

from reprobuild.core.offers import no_builder
from reprobuild.core.placement import Need, fits, place, stage_needs
from reprobuild.domain.machine import Machine
from reprobuild.domain.spec import Spec
from reprobuild.domain.store import Derivation, Instantiation
from reprobuild.errors import NoBuilderError

MODEL = "model"


class Preflight:
    """
    Args:
        builders: other machines; asked only for stages that this machine cannot run.
        say: told once of every stage that another machine will run, or none of those asked for.
        named: machines that the user asks for: they come before this one.
        require_quota: told which machine runs each stage; raises where a build would take too much. None: no quota.
    """

    def __init__(
        self,
        this_machine: Callable[[], Machine],
        builders: Callable[[], Sequence[Machine]],
        say: Callable[[str], None] = lambda text: None,
        named: Sequence[Machine] = (),
        require_quota: Callable[[Spec, Mapping[str, Machine]], None] | None = None,
    ) -> None:
        self._this_machine = this_machine
        self._builders = builders
        self._say = say
        self.named = tuple(named)
        self._require_quota = require_quota
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
            QuotaError: all stages together would take more than is allowed.
        """
        needs = stage_needs(spec, found, missing)
        if not needs:
            return {}
        placed = self._place(needs, self._here(jobs))
        if self._require_quota is not None:
            self._require_quota(spec, placed)
        self._announce(placed)
        return placed

    def rebuilds(
        self, spec: Spec, found: Instantiation, judged: Collection[str], others: Collection[str]
    ) -> dict[str, Machine]:
        """Label → the machine that rebuilds it.

        Args:
            judged: stages, or the model.
            others: stages that may have to run again.
        Raises:
            NoBuilderError: one that is judged fits nowhere, or none of them on a machine that the user asks for.
        """
        needs = [_need(spec, found, label) for label in judged]
        if self.named and needs and not any(fits(need, one) for need in needs for one in self.named):
            raise no_builder(
                needs[0].label,
                needs[0].system,
                needs[0].features,
                self.named,
                who="none of the builders that were named",
            )
        placed = self._place(needs, self._here())
        self._announce(placed)
        more = (_need(spec, found, label) for label in others if label not in placed)
        return placed | {need.label: self._first(need, self._here()) for need in more}

    def without_features(self, spec: Spec, *, jobs: int | None = None) -> Machine:
        """Where what is no stage is built by itself: as a stage without features, but here where it fits nowhere."""
        return self._first(Need("", spec.hardware.system), self._here(jobs))

    def _here(self, jobs: int | None = None) -> Machine:
        here = self._this_machine()
        return here if jobs is None else dataclasses.replace(here, max_jobs=jobs)

    def _place(self, needs: Sequence[Need], here: Machine) -> dict[str, Machine]:
        asked = [need for need in needs if any(fits(need, one) for one in self.named)]
        rest = [need for need in needs if need not in asked]
        others = () if all(fits(need, here) for need in rest) else self._builders()
        known = {one.uri: one for one in (*self.named, *others)}  # a named one is often a listed one
        placed = place(asked, self.named) | place(rest, (here, *known.values()))
        return {need.label: placed[need.label] for need in needs}

    def _first(self, need: Need, here: Machine) -> Machine:
        try:
            return self._place([need], here)[need.label]
        except NoBuilderError:
            return here

    def _announce(self, placed: Mapping[str, Machine]) -> None:
        for label, machine in placed.items():
            if label in self._said or (machine.is_local and not self.named):
                continue
            stays = " (no builder that was named takes it)" if machine.is_local else ""
            what = "the model is rebuilt" if label == MODEL else f"stage {label} runs"
            self._say(f"{what} on {machine.name}{stays}")
            self._said.add(label)


def _need(spec: Spec, found: Instantiation, label: str) -> Need:
    if label not in found.stages:
        return Need(label, spec.hardware.system)
    return stage_needs(spec, found, [found.stages[label]])[0]
