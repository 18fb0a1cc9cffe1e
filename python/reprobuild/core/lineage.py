"""What flowed into what, over many builds: down to all results, up to all inputs.

Builds are joined by content: where a file of one artifact is a data file of another build, the model flowed into it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from reprobuild.core.composition import OUTPUTS, OWN, Composition, by_kind
from reprobuild.core.part_query import PartQuery
from reprobuild.domain.digest import Digest
from reprobuild.domain.lineage import Affected, Known, MadeOf, Part
from reprobuild.domain.record import BuildRecord

_Way = tuple[str, ...]


@dataclass(frozen=True)
class Build:
    """One build whose inputs are known.

    Args:
        named: file name of its record, or the artifact's folder.
        title: name and version of the model.
        record: None: an artifact by itself.
        pinned: nodes that are meant among what the lock pins.
        may_make: False: surely nothing is meant that the build has for itself. Quicker than to compose it.
        compose: may raise what its maker says.
    """

    named: str
    title: str
    record: BuildRecord | None
    pinned: Callable[[PartQuery], frozenset[str]]
    may_make: Callable[[PartQuery], bool]
    compose: Callable[[], Composition]

    @property
    def built(self) -> str | None:
        """When it ended, UTC."""
        return self.record.finished if self.record else None

    @cached_property
    def composition(self) -> Composition:
        return self.compose()

    def meant(self, query: PartQuery) -> list[str]:
        """Nodes of its composition."""
        pinned, own = self.pinned(query), self.may_make(query)
        if not pinned and not own:
            return []
        parts = self.composition.parts
        nodes = sorted(node for node in pinned if node in parts)
        mine = (node for node, part in parts.items() if part.kind in OWN)
        return nodes + (self.composition.meant(query, mine) if own else [])

    def parts(self, nodes: Iterable[str]) -> list[Part]:
        return [self.composition.parts[node] for node in nodes if node in self.composition.parts]


def parts_meant(builds: Sequence[Build], query: PartQuery) -> tuple[Part, ...]:
    """What is meant, each thing once."""
    return tuple(by_kind({part for build in builds for part in build.parts(build.meant(query))}))


def index_of(builds: Sequence[Build]) -> tuple[Known, ...]:
    """Every model, stage output and data file by its content, with the times of the builds that know it."""
    times: dict[Part, list[str]] = {}
    for build in builds:
        for part in build.composition.parts.values():
            if part.kind in (*OUTPUTS, "data") and (part.nar_hash or part.sha256):
                times.setdefault(part, []).append(build.built or "")
    return tuple(
        Known(part=part, first=min(times[part]), last=max(times[part]), builds=len(times[part]))
        for part in by_kind(times)
    )


def flowed_into(builds: Sequence[Build], query: PartQuery) -> tuple[Affected, ...]:
    """All outputs that were made of it, directly or by way of other models; models first.

    What is itself an output is one of them: who withdraws it must withdraw it first of all.
    """
    affected: dict[tuple[str | None, Digest | None], Affected] = {}
    made = _hits(builds, query, affected)
    known: set[Digest] = set()
    while fresh := {digest: way for digest, way in made.items() if digest not in known}:
        known |= fresh.keys()
        made = _hits(builds, PartQuery(digests=frozenset(fresh)), affected, fresh)
    ordered = sorted(
        affected.values(), key=lambda one: (one.part.kind, one.model, one.part.node, one.built or "")
    )
    return tuple(ordered)


def _hits(
    builds: Sequence[Build],
    query: PartQuery,
    affected: dict[tuple[str | None, Digest | None], Affected],
    from_models: Mapping[Digest, _Way] | None = None,
) -> dict[Digest, _Way]:
    """Add the outputs of all builds that what is meant is part of.

    Args:
        from_models: file of an affected model → the way from that model to what was asked for; only data is meant then.
    Returns:
        file of a model that was hit → the way from that model to what was asked for.
    """
    made: dict[Digest, _Way] = {}
    for build in builds:
        for node in build.meant(query):
            part = build.composition.parts[node]
            if from_models is not None and part.kind != "data":
                continue
            rest = from_models[part.sha256] if from_models and part.sha256 else ()
            ways = build.composition.ways_to(node)
            for output in build.parts(ways):
                if output.kind not in OUTPUTS or output.store_path is None:  # an input, or never made
                    continue
                way = (*ways[output.node], *rest)
                key = (output.store_path, output.nar_hash)
                affected[key] = _with(affected.get(key), build, output, way)
                if output.kind == "model":
                    made |= dict.fromkeys(build.composition.files.values(), way)
    return made


def _with(known: Affected | None, build: Build, output: Part, way: _Way) -> Affected:
    if known is None:
        return Affected(
            part=output, model=build.title, built=build.built, known_by=(build.named,), by_way_of=way
        )
    return known.model_copy(
        update={
            "built": max(known.built or "", build.built or "") or None,
            "known_by": tuple(dict.fromkeys((*known.known_by, build.named))),
            "by_way_of": min(known.by_way_of, way, key=len),
        }
    )


def made_of(builds: Sequence[Build], query: PartQuery) -> tuple[MadeOf, ...]:
    """All that the outputs that are meant were made of, also by way of models whose files were data among it."""
    makers = _makers(builds)
    found: dict[Part, _Way] = {}
    todo: deque[tuple[Build, str, _Way]] = deque(
        (build, part.node, ())
        for build in builds
        for part in build.parts(build.meant(query))
        if part.kind in OUTPUTS
    )
    seen = set()
    while todo:
        build, node, through = todo.popleft()
        if (build.named, node) in seen:
            continue
        seen.add((build.named, node))
        for part in build.parts(build.composition.needed_by(node) - {node}):
            found.setdefault(part, through)
            for maker in makers(part.sha256) if part.kind == "data" and part.sha256 else ():
                root = maker.composition.graph.root
                model = maker.composition.parts[root]
                found.setdefault(model, through)
                todo.append((maker, root, (*through, model.artifact_id or root)))
    place = {part: number for number, part in enumerate(by_kind(found))}
    ordered = sorted(found.items(), key=lambda one: (len(one[1]), one[1], place[one[0]]))
    return tuple(MadeOf(part=part, through=through) for part, through in ordered)


def _makers(builds: Sequence[Build]) -> Callable[[Digest], list[Build]]:
    """File → the builds whose artifact has it."""

    def makers(digest: Digest) -> list[Build]:
        query = PartQuery(digests=frozenset({digest}))
        return [
            build for build in builds if build.may_make(query) and digest in build.composition.files.values()
        ]

    return makers
