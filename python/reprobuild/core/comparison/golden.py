"""Golden pairs: inputs with the answers that the model gave when it was built.

A rebuilt model must give the same answers within the tolerance of their type. Source of the tolerances: the defaults of
`torch.testing.assert_close` (PyTorch documentation); an answer is close if |new - old| <= atol + rtol * |old|.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from reprobuild.core.comparison.tensors import numbers_of
from reprobuild.domain.verdict import GoldenVerdict

GOLDEN_FILE = "golden.safetensors"
INPUT, OUTPUT = "input.", "output."


class Closeness(NamedTuple):
    rtol: float
    atol: float


CLOSENESS: Mapping[str, Closeness] = {
    "F64": Closeness(1e-7, 1e-7),
    "F32": Closeness(1.3e-6, 1e-5),
    "C64": Closeness(1.3e-6, 1e-5),
    "F16": Closeness(1e-3, 1e-5),
    "BF16": Closeness(1.6e-2, 1e-5),
}
# Integers and truth values, and types that are not named here, must be equal.


class Answer(NamedTuple):
    """One tensor of a golden file."""

    dtype: str  # as safetensors names it
    shape: tuple[int, ...]
    data: bytes


def judge_golden(
    label: str, first: Mapping[str, Answer], second: Mapping[str, Answer]
) -> tuple[GoldenVerdict, ...]:
    """Every answer of the first build against that of the second, in name order.

    Args:
        label: the stage that wrote them.
    """
    return tuple(_judge(label, name, first.get(name), second.get(name)) for name in sorted({*first, *second}))


def _judge(label: str, name: str, first: Answer | None, second: Answer | None) -> GoldenVerdict:
    def verdict(
        found: Literal["equal", "close", "not close", "not comparable"], why: str, worst: float | None = None
    ) -> GoldenVerdict:
        return GoldenVerdict(
            label=label, tensor=name, verdict=found, max_absolute=worst, explanation=f"{name}: {why}"
        )

    if first is None or second is None:
        return verdict("not comparable", "only on one side")
    if (first.dtype, first.shape) != (second.dtype, second.shape):
        return verdict(
            "not comparable", f"{first.dtype} {list(first.shape)}, then {second.dtype} {list(second.shape)}"
        )
    if first.data == second.data:
        return verdict("equal", "all bits are equal", 0.0)
    if name.startswith(INPUT):
        return verdict("not comparable", "the inputs themselves differ")
    return verdict(*_close(first, second))


def _close(first: Answer, second: Answer) -> tuple[Literal["close", "not close"], str, float | None]:
    import numpy

    limits = CLOSENESS.get(first.dtype)
    if limits is None:
        return "not close", f"bits differ, and {first.dtype} has no tolerance", None
    old, new = numbers_of(first.dtype, first.data), numbers_of(second.dtype, second.data)
    finite = numpy.isfinite(old) & numpy.isfinite(new)
    if not numpy.array_equal(old[~finite], new[~finite], equal_nan=True):
        return "not close", "infinite or not a number on one side only", None
    difference = numpy.abs(new[finite] - old[finite])
    allowed = limits.atol + limits.rtol * numpy.abs(old[finite])
    worst, outside = float(difference.max(initial=0.0)), int((difference > allowed).sum())
    rule = f"rtol {limits.rtol:g}, atol {limits.atol:g} of {first.dtype}"
    if outside:
        return "not close", f"{outside} of {old.size} answers off by up to {worst:.3g} ({rule})", worst
    return "close", f"off by at most {worst:.3g} ({rule})", worst
