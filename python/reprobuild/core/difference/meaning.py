"""What differs between two models in the words of those who made them: metrics, parameters, data, versions, spec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reprobuild.core.difference.values import value_change, value_changes
from reprobuild.domain.difference import DataChange, MetricChange, ValueChange
from reprobuild.domain.lock import Source


def metric_changes(first: Mapping[str, float], second: Mapping[str, float]) -> tuple[MetricChange, ...]:
    """Metrics that are not equal, or were measured on one side alone."""
    found = []
    for name in sorted(first.keys() | second.keys()):
        one, other = first.get(name), second.get(name)
        if one != other and not (one != one and other != other):  # nan is nan
            delta = None if one is None or other is None else other - one
            found.append(MetricChange(name=name, first=one, second=other, delta=delta))
    return tuple(found)


def spec_changes(
    first: Mapping[str, Any], second: Mapping[str, Any]
) -> tuple[tuple[ValueChange, ...], tuple[ValueChange, ...]]:
    """Parameters of stages and `[numerics]`, which change what is computed; then all other keys."""
    changes = value_changes(first, second)
    deciding = tuple(one for one in changes if _decides(one.name))
    return deciding, tuple(one for one in changes if not _decides(one.name))


def _decides(name: str) -> bool:
    parts = name.split(".")
    return parts[0] == "numerics" or (parts[0] == "stages" and parts[2:3] == ["params"])


def flat_changes(first: Mapping[str, Any], second: Mapping[str, Any]) -> tuple[ValueChange, ...]:
    """Changes between two flat tables, in the order of the first, then of the second."""
    names = [*first, *(name for name in second if name not in first)]
    return tuple(
        value_change(name, first.get(name), second.get(name))
        for name in names
        if first.get(name) != second.get(name)
    )


def data_changes(first: Mapping[str, Source], second: Mapping[str, Source]) -> tuple[DataChange, ...]:
    """Datasets that differ by their pins; rows are compared by who has the files."""
    found = []
    for name in sorted(first.keys() | second.keys()):
        one, other = first.get(name), second.get(name)
        if one is None or other is None or one.sha256 != other.sha256:
            found.append(
                DataChange(
                    name=name,
                    state="added" if one is None else "removed" if other is None else "changed",
                    first_sha256=str(one.sha256) if one else None,
                    second_sha256=str(other.sha256) if other else None,
                    first_size_bytes=one.size_bytes if one else None,
                    second_size_bytes=other.size_bytes if other else None,
                )
            )
    return tuple(found)
