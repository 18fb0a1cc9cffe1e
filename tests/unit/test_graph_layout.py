"""The picture of a graph: every box has a place of its own, lines lead down, and what follows is not drawn."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from reprobuild.core.graph_groups import siblings
from reprobuild.core.graph_layout import BOX_HEIGHT, BOX_WIDTH, layered

GRAPH = {
    "model": ("train", "evaluate", "environment"),
    "evaluate": ("train", "environment"),
    "train": ("data", "environment"),
    "data": (),
    "environment": ("base",),
    "base": (),
}


def ways(edges: dict[str, tuple[str, ...]]) -> set[tuple[str, str]]:
    """Which boxes lines join, by where they begin and end."""
    made = layered(edges)
    upper = {(place.x, place.y): node for node, place in made.boxes.items()}
    lower = {(place.x, place.y + BOX_HEIGHT): node for node, place in made.boxes.items()}
    return {(lower[line[0].x, line[0].y], upper[line[-1].x, line[-1].y]) for line in made.lines}


def test_what_needs_something_stands_above_it_and_what_follows_is_left_out() -> None:
    made = layered(GRAPH)
    rows = {node: place.y for node, place in made.boxes.items()}
    assert all(rows[node] < rows[need] for node, needs in GRAPH.items() for need in needs)
    assert ways(GRAPH) == {
        ("model", "evaluate"),
        ("evaluate", "train"),
        ("train", "data"),
        ("train", "environment"),
        ("environment", "base"),
    }


def test_a_line_over_several_layers_passes_beside_the_boxes_between() -> None:
    made = layered(
        {"a": ("b", "d"), "b": ("c",), "c": (), "d": ("e",), "e": ("f",), "f": (), "x": ("c", "f")}
    )
    passing = [point for line in made.lines for point in line[1:-1]]
    assert passing
    for point in passing:
        for place in made.boxes.values():
            inside = abs(point.x - place.x) < BOX_WIDTH / 2 and 0 < point.y - place.y < BOX_HEIGHT
            assert not inside


def test_a_circle_is_drawn_without_the_edge_that_closes_it() -> None:
    assert ways({"a": ("b",), "b": ("a",)}) == {("a", "b")}


def test_nothing_is_a_picture_too() -> None:
    assert (layered({}).width, layered({}).height) == (0.0, 0.0)


@given(st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=30))
def test_boxes_never_overlap_and_stay_inside(pairs: list[tuple[int, int]]) -> None:
    edges: dict[str, tuple[str, ...]] = {str(node): () for node in range(12)}
    for one, other in pairs:
        edges[str(one)] += (str(other),)
    made = layered(edges)
    assert made == layered(edges)
    for one, other in combinations(made.boxes.values(), 2):
        assert abs(one.x - other.x) >= BOX_WIDTH or abs(one.y - other.y) >= BOX_HEIGHT
    for place in made.boxes.values():
        assert BOX_WIDTH / 2 <= place.x <= made.width - BOX_WIDTH / 2
        assert 0 <= place.y <= made.height - BOX_HEIGHT


def test_many_alike_below_one_box_share_one_and_what_they_need_as_well() -> None:
    wheels = [f"wheel-{number}" for number in range(9)]
    edges = {"environment": (*wheels, "base"), "base": ()}
    edges |= {name: (f"file-{name}",) for name in wheels} | {f"file-{name}": () for name in wheels}
    found = siblings(edges, dict.fromkeys(edges, "plain") | {"base": "base"}, 3)
    assert {found[name] for name in wheels} == {"wheel-0"}
    assert {found[f"file-{name}"] for name in wheels} == {"file-wheel-0"}
    assert (found["environment"], found["base"]) == ("environment", "base")


def test_few_of_a_kind_keep_a_box_each_and_kinds_are_not_mixed() -> None:
    edges = {"top": ("a", "b", "c", "d"), "a": (), "b": (), "c": (), "d": ()}
    kinds = {"top": "", "a": "bad", "b": "bad", "c": "plain", "d": "plain"}
    assert len(set(siblings(edges, kinds, 1).values())) == 3
    assert siblings(edges, kinds, 2) == {node: node for node in edges}
