"""Say beforehand what a build would build, fetch and reuse."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from reprobuild.core.build_needs import needed_sources, still_needed
from reprobuild.core.expected_time import ExpectedTime
from reprobuild.domain.machine import Machine
from reprobuild.domain.spec import Spec
from reprobuild.domain.store import Derivation, Instantiation
from reprobuild.ports import Store
from reprobuild.services.build import BuildService
from reprobuild.services.cache_offers import CacheAnswer, CacheOffers, Offer, first_offers
from reprobuild.services.fetch import FetchPlan, FetchService
from reprobuild.services.project import Project, require_fresh_lock


@dataclass(frozen=True)
class BuildPlan:
    instantiation: Instantiation
    build: tuple[str, ...]  # labels, or names for wheels
    reuse: tuple[str, ...]
    where: dict[str, Machine]  # stage to build -> the machine that runs it
    expected: dict[str, ExpectedTime | None]  # stage to build → how long it will run, where that can be said
    take: dict[str, Offer]  # label, or name for wheels → the binary cache that it would come from
    fetch: FetchPlan  # only what the missing ones read
    caches: tuple[CacheCount, ...] = ()


@dataclass(frozen=True)
class CacheCount:
    """What one cache has of all that the store lacks."""

    cache: str
    sources: int
    source_bytes: int
    outputs: int
    output_bytes: int
    unsigned: int  # it has them, but no trusted key has signed them
    problem: str  # why it did not answer


class PlanService:
    def __init__(
        self,
        *,
        build: BuildService,
        store: Store,
        fetch: FetchService,
        offers: CacheOffers,
        expected: Callable[[Spec, Mapping[str, Machine]], dict[str, ExpectedTime | None]],
    ) -> None:
        self._build = build
        self._store = store
        self._fetch = fetch
        self._offers = offers
        self._expected = expected

    def run(self, project: Project, caches: Sequence[str] = ()) -> BuildPlan:
        """Evaluate and ask the store, the caches and the sources; changes nothing.

        Raises:
            NoBuilderError: no known machine can run a stage.
        """
        found = self._build.instantiate(project)
        valid = self._store.present([drv.out_path for drv in found.all()])
        sources = require_fresh_lock(project).for_system(project.spec.hardware.system)
        answers: tuple[CacheAnswer, ...] = ()
        if caches and found.model.out_path not in valid:
            outputs = [drv.out_path for drv in found.all()]
            paths = [*outputs, *(source.store_path for source in sources)]
            absent = set(paths) - self._store.present(paths)
            answers = self._offers.ask(sorted(absent), caches)
        offered = first_offers(answers)
        needs = still_needed(project.spec, found, ["model"], valid | offered.keys())
        missing = needs.build
        needed = needed_sources(project.spec, found, missing, sources)
        labels = found.labels()
        out_paths = {drv.out_path for drv in found.all()}

        where = self._build.preflight(project.spec, found, missing)

        def names(derivations: Iterable[Derivation]) -> tuple[str, ...]:
            return tuple(labels.get(drv.drv_path, drv.name) for drv in derivations)

        return BuildPlan(
            instantiation=found,
            build=names(missing),
            reuse=names(drv for drv in found.all() if drv.out_path in valid),
            where=where,
            expected=self._expected(project.spec, where),
            take={
                labels.get(drv.drv_path, drv.name): offered[drv.out_path]
                for drv in needs.take
                if drv.out_path not in valid
            },
            fetch=self._fetch.plan(needed, project.path, caches, offered),
            caches=tuple(_count(answer, out_paths) for answer in answers),
        )


def _count(answer: CacheAnswer, out_paths: Collection[str]) -> CacheCount:
    outputs = [offer for path, offer in answer.offers.items() if path in out_paths]
    sources = [offer for path, offer in answer.offers.items() if path not in out_paths]
    return CacheCount(
        cache=answer.cache,
        sources=len(sources),
        source_bytes=sum(offer.size_bytes for offer in sources),
        outputs=len(outputs),
        output_bytes=sum(offer.size_bytes for offer in outputs),
        unsigned=len(answer.unsigned),
        problem=answer.problem,
    )
