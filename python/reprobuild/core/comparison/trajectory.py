"""In which epoch do two trainings part, and what parted first?

Source: docs/formats/trajectory.md, version 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from reprobuild.domain.comparison import TrajectoryDifference

FILE_NAME = "trajectory.json"
SCHEMA = "reprobuild.trajectory/1"


def is_trajectory(document: Any) -> bool:
    return isinstance(document, dict) and document.get("schema") == SCHEMA


def trajectory_difference(
    file: str, first: Mapping[str, Any], second: Mapping[str, Any]
) -> TrajectoryDifference | None:
    """What parted first; None if both went the same way.

    Within an epoch the order is: sample order, weights, logged values (which may follow from either).
    """
    orders = (first.get("sample_order"), second.get("sample_order"))
    common = {"file": file, "sample_order_equal": None if orders == (None, None) else orders[0] == orders[1]}
    sides: dict[str, Any]
    if first.get("seed") != second.get("seed"):
        sides = {"first": str(first.get("seed")), "second": str(second.get("seed"))}
        return TrajectoryDifference(parted="seed", **sides, **common)
    if first.get("initial_weights") != second.get("initial_weights"):
        sides = {"first": first.get("initial_weights"), "second": second.get("initial_weights")}
        return TrajectoryDifference(parted="initial weights", **sides, **common)
    last_equal = None
    epochs = (first.get("epochs", []), second.get("epochs", []))
    for one, other in zip(*epochs, strict=False):
        if one != other:
            return TrajectoryDifference(
                epoch=one.get("epoch"), last_equal_epoch=last_equal, **_parted(one, other), **common
            )
        last_equal = one.get("epoch")
    if len(epochs[0]) != len(epochs[1]):
        sides = {"first": f"{len(epochs[0])} epochs", "second": f"{len(epochs[1])} epochs"}
        return TrajectoryDifference(parted="length", last_equal_epoch=last_equal, **sides, **common)
    if orders[0] != orders[1]:
        sides = {"first": orders[0], "second": orders[1]}
        return TrajectoryDifference(parted="sample order", last_equal_epoch=last_equal, **sides, **common)
    return None


def _parted(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Fields that say what differs within one epoch."""
    names = sorted({**one.get("values", {}), **other.get("values", {})})
    values = {name: (one.get("values", {}).get(name), other.get("values", {}).get(name)) for name in names}
    fields: dict[str, Any] = {"relative_value_difference": _largest_relative(values)}
    for key, parted in (("sample_order", "sample order"), ("weights", "weights")):
        if one.get(key) != other.get(key):
            return fields | {"parted": parted, "first": one.get(key), "second": other.get(key)}
    for name, (first, second) in values.items():
        if first != second:
            return fields | {"parted": "value", "name": name, "first": repr(first), "second": repr(second)}
    return fields | {"parted": "length"}


def _largest_relative(values: Mapping[str, tuple[Any, Any]]) -> float | None:
    found = [
        abs(first - second) / max(abs(first), abs(second))
        for first, second in values.values()
        if all(isinstance(side, float) and math.isfinite(side) for side in (first, second))
        and max(abs(first), abs(second)) > 0
    ]
    return max(found, default=None)
