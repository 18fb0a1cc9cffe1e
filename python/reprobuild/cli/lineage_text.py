"""What do people read about a lineage?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reprobuild.cli.inputs_text import part_lines

if TYPE_CHECKING:
    from reprobuild.domain.lineage import Affected, Known, Lineage, MadeOf, NotKnown

_SHOWN = 5  # builds that cannot be judged


def lineage_text(found: Lineage) -> tuple[list[str], list[str]]:
    """Lines of the answer, and notes beside it."""
    lines = part_lines(found.found)
    if found.made_of:
        lines += ["", "made of", *_made_of(found.made_of)]
    if found.flowed_into:
        lines += ["", "flowed into", *_affected(found.flowed_into)]
    return lines, _notes(found)


def withdrawn_text(found: Lineage) -> tuple[list[str], list[str]]:
    """The same for those who have to call back what is hit."""
    hit = found.flowed_into or ()
    models = sum(one.part.kind == "model" for one in hit)
    outputs = len(hit) - models
    counted = f"hit: {models} {'model' if models == 1 else 'models'}, {outputs} stage outputs"
    return [counted, *_affected(hit)], _notes(found)


def _made_of(parts: Sequence[MadeOf]) -> list[str]:
    lines: list[str] = []
    for through in dict.fromkeys(one.through for one in parts):
        if through:
            lines += ["", f"by way of {', then '.join(through)}"]
        lines += [f"  {line}" for line in part_lines([one.part for one in parts if one.through == through])]
    return lines


def _affected(hit: Sequence[Affected]) -> list[str]:
    lines = []
    for one in hit:
        if one.part.kind == "model":
            name = one.part.artifact_id or one.part.node
            lines.append(f"  {name}  {one.built or 'no record of its build'}")
            lines.append(f"    {' → '.join(one.by_way_of)}")
    for one in hit:
        if one.part.kind != "model":
            lines.append(f"  {one.model}, {one.part.node}  {one.part.store_path}")
    return lines


def _notes(found: Lineage) -> list[str]:
    notes = []
    if not found.found:
        asked = f"{found.asked} ({found.sha256})" if found.sha256 else found.asked
        notes.append(f"{asked}: not part of any of the {found.builds} builds known here")
    for part in found.namesakes:
        notes.append(f"  of that name, with other content: {part.node}  {part.sha256 or part.nar_hash or ''}")
    return notes + not_known_lines(found.not_known)


def not_known_lines(builds: Sequence[NotKnown]) -> list[str]:
    """Builds that cannot be judged, the first few of them."""
    if not builds:
        return []
    count = len(builds)
    lines = [f"not known what {count} {'build was' if count == 1 else 'builds were'} made of:"]
    lines += [f"  {one.build}: {one.reason}" for one in builds[:_SHOWN]]
    if count > _SHOWN:
        lines.append(f"  and {count - _SHOWN} more: `--json` lists all")
    return lines


def index_lines(known: Sequence[Known]) -> list[str]:
    """One thing a line: when it was last built with, what it is, its size, its artifact id or digest."""
    lines = part_lines([one.part for one in known])
    return [f"{one.last}  {line}" for one, line in zip(known, lines, strict=True)]
