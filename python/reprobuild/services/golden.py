"""Read golden pairs out of outputs, and judge those of two builds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from reprobuild.core.comparison.golden import GOLDEN_FILE, Answer, judge_golden
from reprobuild.core.comparison.safetensors_header import header_size_bytes, parse_header
from reprobuild.domain.verdict import GoldenVerdict


def judge_all_golden(
    first: Mapping[str, str | Path], second: Mapping[str, str | Path]
) -> tuple[GoldenVerdict, ...]:
    """Golden pairs of all stages that wrote some in the first build.

    Args:
        first: stage name → its output.
        second: the same of the other build; stages without an output there are left out.
    """
    found: list[GoldenVerdict] = []
    for label, folder in first.items():
        file = Path(folder) / GOLDEN_FILE
        if file.is_file() and label in second:
            other = Path(second[label]) / GOLDEN_FILE
            found += judge_golden(label, _read(file), _read(other) if other.is_file() else {})
    return tuple(found)


def holds_tensors(outputs: Iterable[str | Path]) -> bool:
    """Whether any of these outputs has a file that is compared by tensor."""
    return any(next(Path(folder).rglob("*.safetensors"), None) is not None for folder in outputs)


def _read(file: Path) -> dict[str, Answer]:
    """Nothing of a damaged file: its pairs are then not comparable."""
    raw = file.read_bytes()
    try:
        size = header_size_bytes(raw, len(raw))
        header = parse_header(raw[8 : 8 + size], len(raw))
    except ValueError:
        return {}
    return {
        name: Answer(entry.dtype, entry.shape, raw[entry.start : entry.start + entry.size_bytes])
        for name, entry in header.tensors.items()
    }
