"""Claims about differing JSON documents and trajectories."""

from __future__ import annotations

from typing import Any

import pytest

from reprobuild.core.comparison.json_values import differences, summary, written_difference
from reprobuild.core.comparison.trajectory import trajectory_difference


def places(first: Any, second: Any) -> list[tuple[str, str]]:
    return [(one.key_path, one.state) for one in differences(first, second)]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 1.0}, [("a", "value")]),
        ({"a": True}, {"a": 1}, [("a", "value")]),
        ({"a": {"b": [1, {"c": 2}]}}, {"a": {"b": [1, {"c": 3}]}}, [("a.b[1].c", "value")]),
        ({"a": 1, "b": 2}, {"b": 2}, [("a", "missing")]),
        ({"b": 2}, {"a": 1, "b": 2}, [("a", "extra")]),
        ({"a": [1, 2]}, {"a": [1, 2, 3]}, [("a", "length")]),
        ({"a": [1, {"x": 2}]}, {"a": [{"x": 2}, 1]}, [("a", "element order")]),
        ([1], {"a": 1}, [("", "value")]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, []),
    ],
)
def test_each_place_is_named_with_its_kind(first: Any, second: Any, expected: list[tuple[str, str]]) -> None:
    assert places(first, second) == expected


def test_another_order_of_keys_is_found_at_its_place() -> None:
    found = written_difference({"a": {"x": 1, "y": 2}}, {"a": {"y": 2, "x": 1}})
    assert (found.key_path, found.state, found.first) == ("a", "key order", ["x", "y"])
    assert written_difference({"a": 1}, {"a": 1}).state == "spelling"


def test_a_summary_shows_the_first_place_and_counts_all() -> None:
    found = summary("x.json", list(differences({"a": 1, "b": "x" * 500}, {"a": 2, "b": "y"})))
    assert (found.key_path, found.first, found.second, found.differing_values) == ("a", "1", "2", 2)
    long = summary("x.json", list(differences({"b": "x" * 500}, {"b": "y"})))
    assert long.first is not None and len(long.first) == 120


EPOCHS = [
    {"epoch": n, "sample_order": f"order{n}", "weights": f"weights{n}", "values": {"loss": 1 / n}}
    for n in (1, 2, 3)
]
TRAJECTORY = {"seed": 0, "initial_weights": "start", "sample_order": "order3", "epochs": EPOCHS}


def changed(epoch: int | None = None, **fields: Any) -> dict[str, Any]:
    if epoch is None:
        return TRAJECTORY | fields
    return TRAJECTORY | {"epochs": [one | fields if one["epoch"] == epoch else one for one in EPOCHS]}


@pytest.mark.parametrize(
    ("second", "parted", "epoch", "last_equal"),
    [
        (changed(seed=1), "seed", None, None),
        (changed(initial_weights="other"), "initial weights", None, None),
        (changed(2, sample_order="other", weights="other"), "sample order", 2, 1),
        (changed(3, weights="other", values={"loss": 9}), "weights", 3, 2),
        (changed(1, values={"loss": 9}), "value", 1, None),
        (changed(epochs=EPOCHS[:2]), "length", None, 2),
        (changed(sample_order="other"), "sample order", None, 3),
    ],
)
def test_what_parted_first_is_named(
    second: Any, parted: str, epoch: int | None, last_equal: int | None
) -> None:
    found = trajectory_difference("trajectory.json", TRAJECTORY, second)
    assert found is not None
    assert (found.parted, found.epoch, found.last_equal_epoch) == (parted, epoch, last_equal)


def test_equal_trajectories_do_not_part_and_a_value_is_named_with_its_size() -> None:
    assert trajectory_difference("t", TRAJECTORY, TRAJECTORY) is None
    found = trajectory_difference("t", TRAJECTORY, changed(2, values={"loss": 0.5005}))
    assert found is not None
    assert (found.name, found.first, found.second) == ("loss", "0.5", "0.5005")
    assert found.relative_value_difference == pytest.approx(0.001, rel=0.01)
    assert found.sample_order_equal
