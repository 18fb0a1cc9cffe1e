"""Claims about differing tensors: where, how many, by how much."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from reprobuild.core.comparison.tensors import ValueDifferences, known_dtype


def measured(dtype: str, first: Any, second: Any) -> dict[str, Any]:
    first, second = np.asarray(first), np.asarray(second)
    found = ValueDifferences(dtype, first.shape)
    found.add(0, first.tobytes(), second.tobytes())
    return found.fields()


def test_the_first_differing_element_is_found_with_its_index_and_values() -> None:
    first = np.zeros((2, 3), "<f4")
    second = first.copy()
    second[1, 0], second[1, 2] = 0.25, 0.5
    found = measured("F32", first, second)
    assert found["first_index"] == (1, 0)
    assert (found["first_value"], found["second_value"]) == ("0.0", "0.25")
    assert (found["elements"], found["differing_elements"]) == (6, 2)
    assert (found["max_absolute"], found["max_relative"]) == (0.5, 1.0)


def test_pieces_add_up() -> None:
    rng = np.random.default_rng(1)
    first = rng.normal(size=96).astype("<f4")
    second = (first * np.float32(1.0001)).astype("<f4")
    whole = measured("F32", first, second)
    in_pieces = ValueDifferences("F32", first.shape)
    for start in range(0, 96, 32):
        in_pieces.add(start, first[start : start + 32].tobytes(), second[start : start + 32].tobytes())
    assert in_pieces.fields() == whole


@pytest.mark.parametrize("dtype", ["<f2", "<f4", "<f8"])
def test_neighbouring_floats_are_one_ulp_apart(dtype: str) -> None:
    values = np.asarray([1.0, -1.0, 3e-5, -0.0], dtype)
    neighbours = np.nextafter(values, np.asarray([2.0, -2.0, 1.0, 1.0], dtype))
    name = {"<f2": "F16", "<f4": "F32", "<f8": "F64"}[dtype]
    found = [measured(name, [one], [other]) for one, other in zip(values, neighbours, strict=True)]
    assert [one["max_ulp"] for one in found] == [1, 1, 1, 2]  # -0.0, 0.0, the smallest number
    assert measured(name, values[3:], -values[3:])["max_ulp"] == 1


def test_brain_floats_are_read_as_numbers() -> None:
    first, second = np.asarray([0x3F80, 0x4000], "<u2"), np.asarray([0x3F80, 0x4040], "<u2")
    found = measured("BF16", first, second)
    assert (found["first_value"], found["second_value"], found["max_ulp"]) == ("2.0", "3.0", 64)


@pytest.mark.parametrize(
    ("dtype", "byte", "value"),
    [
        ("F8_E4M3", 0x38, 1.0),
        ("F8_E4M3", 0x7E, 448.0),
        ("F8_E4M3", 0x81, -(2.0**-9)),
        ("F8_E5M2", 0x3C, 1.0),
        ("F8_E5M2", 0x7B, 57344.0),
    ],
)
def test_floats_of_one_byte_are_read_as_numbers(dtype: str, byte: int, value: float) -> None:
    found = measured(dtype, np.asarray([byte], "u1"), np.asarray([0], "u1"))
    assert float(found["first_value"]) == value
    assert found["max_absolute"] == abs(value)


def test_a_complex_number_is_one_element() -> None:
    first = np.asarray([1 + 1j, 2 + 2j], "<c8")
    second = np.asarray([1 + 1j, 3 + 4j], "<c8")
    found = measured("C64", first, second)
    assert (found["differing_elements"], found["first_index"]) == (1, (1,))


def test_integers_have_no_ulp_and_differ_by_whole_numbers() -> None:
    found = measured("I64", np.asarray([5, -7], "<i8"), np.asarray([5, 8], "<i8"))
    assert (found["max_ulp"], found["max_absolute"], found["first_value"]) == (None, 15.0, "-7")


def test_equal_bits_of_nan_are_equal_and_others_are_counted_as_garbage() -> None:
    first = np.asarray([math.nan, 1.0, 2.0], "<f4")
    second = np.asarray([math.nan, math.nan, 1e38], "<f4")
    found = measured("F32", first, second)
    assert (found["differing_elements"], found["first_garbage"], found["second_garbage"]) == (2, 0, 2)
    assert found["second_value"] == "nan"
    assert found["max_absolute"] == pytest.approx(1e38)


def test_the_difference_of_the_largest_numbers_is_finite() -> None:
    found = measured("F64", np.asarray([1.7e308]), np.asarray([-1.7e308]))
    assert math.isfinite(found["max_absolute"])
    assert found["max_relative"] == 2.0


def test_the_same_elements_in_another_order_are_seen_also_across_pieces() -> None:
    first, second = np.arange(64, dtype="<f4"), np.arange(64, dtype="<f4")[::-1].copy()
    found = ValueDifferences("F32", (64,))
    found.add(0, first[:32].tobytes(), second[:32].tobytes())
    found.add(32, first[32:].tobytes(), second[32:].tobytes())
    assert found.fields()["permuted"]
    second[0] = 1
    assert not measured("F32", first, second)["permuted"]


def test_unknown_types_are_known_to_be_unknown() -> None:
    assert known_dtype("F32")
    assert not known_dtype("F4")
