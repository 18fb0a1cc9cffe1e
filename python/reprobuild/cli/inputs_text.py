"""What do people read about what a model is made of?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reprobuild.cli.render import size, table

if TYPE_CHECKING:
    from reprobuild.domain.lineage import Part

_HEADINGS = {
    "model": "model",
    "stage": "stages",
    "code": "code",
    "commit": "commit",
    "data": "data",
    "cuda": "CUDA parts",
    "wheel": "wheels",
    "deb": "Debian packages",
    "tool": "tools of the build",
    "compiler": "compilers",
    "seed": "seed of the base",
}


def inputs_text(parts: Sequence[Part]) -> list[str]:
    """A paragraph for each kind, with how many there are and their size."""
    lines: list[str] = []
    for group, heading in _HEADINGS.items():
        rows = [part for part in parts if _group(part) == group]
        if rows:
            sizes = [part.size_bytes for part in rows if part.size_bytes is not None]
            counted = f"{len(rows)}, {size(sum(sizes))}" if sizes else str(len(rows))
            lines += [*([""] if lines else []), f"{heading}  ({counted})"]
            lines += [f"  {line}" for line in part_lines(rows)]
    return lines


def part_lines(parts: Sequence[Part]) -> list[str]:
    """One part a line: what it is, its size, its artifact id or digest."""
    rows = [
        [
            part.node,
            size(part.size_bytes) if part.size_bytes is not None else "",
            part.artifact_id or part.sha256 or part.nar_hash or "",
        ]
        for part in parts
    ]
    return [line.rstrip() for line in table(rows)]


def _group(part: Part) -> str:
    return "cuda" if part.kind == "wheel" and part.name.startswith("nvidia-") else part.kind
