"""Read golden pairs out of outputs, and judge those of two builds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from reprobuild.core.comparison.golden import GOLDEN_FILE, Answer, judge_golden
from reprobuild.core.comparison.safetensors_header import header_size_bytes, parse_header
from reprobuild.domain.verdict import GoldenVerdict
from reprobuild.errors import NotAResultError


def judge_all_golden(
    first: Mapping[str, str | Path], second: Mapping[str, str | Path]
) -> tuple[GoldenVerdict, ...]:
    """Golden pairs of all stages that wrote some in the first build.

    Args:
        first: stage name → its output.
        second: the same of the other build; stages without an output there are left out.
    Raises:
        NotAResultError: a golden file is damaged.
    """
    found: list[GoldenVerdict] = []
    for label, folder in first.items():
        file = Path(folder) / GOLDEN_FILE
        if file.is_file() and label in second:
            other = Path(second[label]) / GOLDEN_FILE
            found += judge_golden(label, _read(file), _read(other) if other.is_file() else {})
    return tuple(found)


def _read(file: Path) -> dict[str, Answer]:
    raw = file.read_bytes()
    try:
        size = header_size_bytes(raw, len(raw))
        header = parse_header(raw[8 : 8 + size], len(raw))
    except ValueError as error:
        raise NotAResultError(f"{file} is damaged", actual=str(error)) from error
    return {
        name: Answer(entry.dtype, entry.shape, raw[entry.start : entry.start + entry.size_bytes])
        for name, entry in header.tensors.items()
    }
