"""Answers to stored inputs: close is what torch calls close for their type."""

from __future__ import annotations

import numpy
import pytest

from reprobuild.core.comparison.golden import Answer, judge_golden

NAMES = {"float32": "F32", "float64": "F64", "float16": "F16", "int64": "I64"}


def answer(values: list[float], dtype: str = "float32") -> Answer:
    array = numpy.asarray(values, dtype=dtype)
    return Answer(NAMES[dtype], array.shape, array.tobytes())


def verdict(first: Answer, second: Answer, name: str = "output.scores") -> str:
    (found,) = judge_golden("evaluate", {name: first}, {name: second})
    return found.verdict


@pytest.mark.parametrize(
    ("dtype", "inside", "outside"),
    # |new - old| <= atol + rtol * |old| around 100
    [
        ("float32", 100 + 1.2e-4, 100 + 2e-4),
        ("float64", 100 + 1.0e-5, 100 + 1.1e-5),
        ("float16", 100 + 0.0625, 100 + 0.1875),
        ("int64", 100, 101),
    ],
)
def test_the_limit_is_that_of_the_type(dtype: str, inside: float, outside: float) -> None:
    assert verdict(answer([100.0], dtype), answer([inside], dtype)) in ("equal", "close")
    assert verdict(answer([100.0], dtype), answer([outside], dtype)) == "not close"


def test_integers_are_compared_as_integers() -> None:
    large = Answer("I64", (1,), (2**53).to_bytes(8, "little"))
    assert verdict(large, Answer("I64", (1,), (2**53 + 1).to_bytes(8, "little"))) == "not close"


def test_equal_bits_are_equal_also_where_they_are_no_numbers() -> None:
    odd = answer([float("nan"), float("inf"), -0.0])
    assert verdict(odd, odd) == "equal"
    assert verdict(odd, answer([float("nan"), float("inf"), 1e-9])) == "close"
    assert verdict(odd, answer([float("nan"), float("-inf"), -0.0])) == "not close"
    assert verdict(odd, answer([1.0, float("inf"), -0.0])) == "not close"


def test_what_cannot_be_compared_is_neither_yes_nor_no() -> None:
    assert verdict(answer([1.0]), answer([1.0, 2.0])) == "not comparable"
    assert verdict(answer([1.0]), answer([1.0], "float64")) == "not comparable"
    assert verdict(answer([1.0]), answer([1.0000001]), "input.image") == "not comparable"
    (missing,) = judge_golden("evaluate", {"output.scores": answer([1.0])}, {})
    assert missing.verdict == "not comparable" and "one side" in missing.explanation
