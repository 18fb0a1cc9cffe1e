"""Claims about the order of Debian versions. Cases: Debian Policy 5.6.12 and dpkg's own tests."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reprobuild.core.deb_version import compare, satisfies, upstream

VERSIONS = st.from_regex(r"([0-9]:)?[0-9][a-z0-9.+~]{0,6}(-[a-z0-9.+~]{1,3})?", fullmatch=True)

OLDER_FIRST = [
    ("1.0~rc1", "1.0"),
    ("1.0~~", "1.0~"),
    ("1.0", "1.0a"),
    ("1.0a", "1.0+b"),
    ("1.9", "1.10"),
    ("9", "1:1"),
    ("1.0-1", "1.0-1+b1"),
    ("1.0-1", "1.0-2"),
    ("3.0.9-1", "3.0.20-1~deb12u2"),
    ("2.36-9", "2.36-9+deb12u14"),
    ("1.2.11.dfsg-2", "1:1.2.0"),
    ("1a", "1.0"),
]


@pytest.mark.parametrize(("older", "newer"), OLDER_FIRST)
def test_older_sorts_first(older: str, newer: str) -> None:
    assert compare(older, newer) < 0 < compare(newer, older)


@pytest.mark.parametrize(("one", "other"), [("1.0", "1.0-0"), ("0:1", "1"), ("1.01", "1.1"), ("1.0", "1.00")])
def test_equal_versions_may_be_written_differently(one: str, other: str) -> None:
    assert compare(one, other) == 0


@given(VERSIONS, VERSIONS)
def test_the_order_has_two_sides(one: str, other: str) -> None:
    assert compare(one, other) == -compare(other, one)


@given(VERSIONS, VERSIONS, VERSIONS)
def test_the_order_is_transitive(a: str, b: str, c: str) -> None:
    if compare(a, b) <= 0 and compare(b, c) <= 0:
        assert compare(a, c) <= 0


@pytest.mark.parametrize(
    ("operator", "wanted", "answer"),
    [
        (">=", "2.36", True),
        (">>", "2.36", False),
        ("=", "2.36", True),
        ("<<", "2.37", True),
        ("<=", "2.35", False),
    ],
)
def test_relations_are_judged(operator: str, wanted: str, answer: bool) -> None:
    assert satisfies("2.36", operator, wanted) is answer


@pytest.mark.parametrize(
    ("version", "answer"),
    [("2.36-9+deb12u14", "2.36"), ("1:1.2.13.dfsg-1", "1.2.13.dfsg"), ("2026b", "2026b")],
)
def test_upstream_has_neither_epoch_nor_revision(version: str, answer: str) -> None:
    assert upstream(version) == answer
