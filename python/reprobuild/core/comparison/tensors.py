"""By how much do two tensors of one type and shape differ? Fed with the pieces that are not equal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy

# as safetensors names them -> how numpy holds their bits; BF16 and F8 have no numpy type
_NUMPY = {
    "BOOL": "u1", "U8": "u1", "I8": "i1", "U16": "<u2", "I16": "<i2", "U32": "<u4", "I32": "<i4",
    "U64": "<u8", "I64": "<i8", "F16": "<f2", "BF16": "<u2", "F32": "<f4", "F64": "<f8", "C64": "<f4",
    "F8_E4M3": "u1", "F8_E5M2": "u1",
}  # fmt: skip
_ELEMENT_PARTS = {"C64": 2}  # a complex number is two floats
_FLOATS = frozenset({"F16", "BF16", "F32", "F64", "C64", "F8_E4M3", "F8_E5M2"})
_WIDE = frozenset({"BF16", "F32", "F64", "C64"})  # wide enough that huge and subnormal numbers are odd
HUGE_FLOAT = 1e30
HUGE_INTEGER = 2**40  # addresses of memory are larger
EPSILON = {
    "F16": 2.0**-10,
    "BF16": 2.0**-7,
    "F32": 2.0**-23,
    "F64": 2.0**-52,
    "C64": 2.0**-23,
    "F8_E4M3": 2.0**-3,
    "F8_E5M2": 2.0**-2,
}


def known_dtype(dtype: str) -> bool:
    return dtype in _NUMPY


def element_size_bytes(dtype: str) -> int:
    import numpy

    return int(numpy.dtype(_NUMPY[dtype]).itemsize) * _ELEMENT_PARTS.get(dtype, 1)


def numbers_of(dtype: str, data: bytes | memoryview) -> numpy.ndarray:
    """A tensor's values as float64, flat; a complex number is two of them."""
    import numpy

    return _numbers(dtype, numpy.frombuffer(data, dtype=_NUMPY[dtype]))


class ValueDifferences:
    """Adds up what differs between two tensors, piece by piece, so that no tensor must fit in memory.

    Args:
        dtype: one that `known_dtype` knows.
    """

    def __init__(self, dtype: str, shape: tuple[int, ...]) -> None:
        self._dtype = dtype
        self._shape = shape
        self._parts = _ELEMENT_PARTS.get(dtype, 1)
        self._first: int | None = None  # in elements, row-major
        self._values: tuple[str, str] | None = None
        self._count = 0
        self._max_absolute = self._max_relative = self._largest = 0.0
        self._max_ulp = 0
        self._garbage = [0, 0]
        self._order_free_sum = [0, 0]

    def add(self, first_element: int, first: bytes | memoryview, second: bytes | memoryview) -> None:
        """Take in one piece of both sides: whole elements, equally many, beginning at `first_element`."""
        import numpy

        raw = [numpy.frombuffer(side, dtype=_NUMPY[self._dtype]) for side in (first, second)]
        bits = [side.view(f"<u{side.dtype.itemsize}") for side in raw]
        for index in (0, 1):
            self._order_free_sum[index] = (self._order_free_sum[index] + _order_free_sum(bits[index])) % 2**64
        places = numpy.flatnonzero(bits[0] != bits[1])
        if not len(places):
            return
        self._count += len(numpy.unique(places // self._parts)) if self._parts > 1 else len(places)
        values = [_numbers(self._dtype, side[places]) for side in raw]
        if self._first is None:
            self._first = first_element + int(places[0]) // self._parts
            self._values = (_text(self._dtype, values[0][0]), _text(self._dtype, values[1][0]))
        for index in (0, 1):
            self._garbage[index] += _garbage(self._dtype, values[index])
        self._measure(values, [side[places] for side in bits])

    def fields(self) -> dict[str, Any]:
        """As `TensorDifference` names them."""
        return {
            "elements": math.prod(self._shape),
            "differing_elements": self._count,
            "first_index": _unravelled(self._first, self._shape) if self._first is not None else None,
            "first_value": self._values[0] if self._values else None,
            "second_value": self._values[1] if self._values else None,
            "max_absolute": self._max_absolute,
            "max_relative": self._max_relative,
            "relative_to_largest": self._max_absolute / self._largest if self._largest else None,
            "max_ulp": self._max_ulp if self._dtype in _FLOATS else None,
            "first_garbage": self._garbage[0],
            "second_garbage": self._garbage[1],
            # one element cannot change its place
            "permuted": self._count > 1 and self._order_free_sum[0] == self._order_free_sum[1],
        }

    def _measure(self, values: list[numpy.ndarray], bits: list[numpy.ndarray]) -> None:
        import numpy

        finite = numpy.isfinite(values[0]) & numpy.isfinite(values[1])
        if not finite.any():
            return
        first, second = values[0][finite], values[1][finite]
        with numpy.errstate(over="ignore", invalid="ignore"):
            # halved before: the difference of two finite numbers may be none
            absolute = numpy.abs(first / 2 - second / 2)
            larger = numpy.maximum(numpy.abs(first), numpy.abs(second))
            relative = numpy.divide(absolute, larger / 2, out=numpy.zeros_like(absolute), where=larger > 0)
        self._max_absolute = max(self._max_absolute, min(2 * float(absolute.max()), 1.7e308))
        self._max_relative = max(self._max_relative, float(relative.max()))
        self._largest = max(self._largest, float(larger.max()))
        if self._dtype in _FLOATS:
            ordered = [_ordered(side[finite]) for side in bits]
            apart = numpy.maximum(*ordered) - numpy.minimum(*ordered)
            self._max_ulp = max(self._max_ulp, int(apart.max()))


def _numbers(dtype: str, raw: numpy.ndarray) -> numpy.ndarray:
    """As numbers that hold every value: float64, which is exact but for integers beyond 2**53."""
    import numpy

    if dtype == "BF16":
        return (raw.astype("<u4") << 16).view("<f4").astype("<f8")
    if dtype == "F8_E5M2":
        return (raw.astype("<u2") << 8).view("<f2").astype("<f8")
    if dtype == "F8_E4M3":
        table: numpy.ndarray = numpy.asarray([_e4m3(byte) for byte in range(256)])
        numbers: numpy.ndarray = table[raw]
        return numbers
    return raw.astype("<f8")


def _e4m3(byte: int) -> float:
    """F8_E4M3 has no infinity; all ones is not a number."""
    sign, exponent, fraction = -1.0 if byte & 0x80 else 1.0, byte >> 3 & 0xF, byte & 7
    if exponent == 0xF and fraction == 7:
        return math.nan
    if exponent:
        return sign * float((1 + fraction / 8) * 2.0 ** (exponent - 7))
    return sign * fraction * 2.0**-9


def _ordered(bits: numpy.ndarray) -> numpy.ndarray:
    """Floats' bits as unsigned integers in the order of the numbers; neighbours are one apart."""
    import numpy

    wide = bits.astype("<u8")
    width = bits.dtype.itemsize * 8
    sign = numpy.uint64(1 << (width - 1))
    ones = numpy.uint64((1 << width) - 1)
    return numpy.where(wide & sign, wide ^ ones, wide | sign)


def _order_free_sum(bits: numpy.ndarray) -> int:
    """The same for the same elements in any order. Mixing steps are those of splitmix64."""
    import numpy

    wide = bits.astype("<u8")
    with numpy.errstate(over="ignore"):
        wide = (wide + numpy.uint64(0x9E3779B97F4A7C15)) * numpy.uint64(0xBF58476D1CE4E5B9)
        wide = (wide ^ (wide >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        return int((wide ^ (wide >> numpy.uint64(31))).sum(dtype="<u8"))


def _garbage(dtype: str, values: numpy.ndarray) -> int:
    """How many look like memory that nobody wrote: nan, infinite, huge, subnormal."""
    import numpy

    size = numpy.abs(values)
    if dtype in _WIDE:
        smallest = numpy.finfo("<f8" if dtype == "F64" else "<f4").tiny
        with numpy.errstate(invalid="ignore"):
            odd = ~numpy.isfinite(values) | (size > HUGE_FLOAT) | ((size > 0) & (size < smallest))
    elif dtype in ("I64", "U64"):
        odd = size >= HUGE_INTEGER
    else:
        odd = ~numpy.isfinite(values)
    return int(odd.sum())


def _text(dtype: str, value: Any) -> str:
    import numpy

    if dtype in ("F16", "BF16", "F32", "C64"):
        return str(numpy.float32(value))
    return repr(float(value)) if dtype in _FLOATS else str(int(value))


def _unravelled(element: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    index = []
    for size in reversed(shape):
        element, rest = divmod(element, size)
        index.append(rest)
    return tuple(reversed(index))
