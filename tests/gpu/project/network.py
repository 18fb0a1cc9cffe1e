"""A perceptron with one hidden layer, trained on all rows at once. All arithmetic is in kernels.ptx."""

from __future__ import annotations

import random
from array import array
from collections.abc import Iterator
from typing import Any

PARTS = 128  # of a product over all rows


def make_data(rows: int, inputs: int, seed: int) -> tuple[array[float], array[float]]:
    """Random rows, and what is to be learnt of them: the product of the first two, and the third."""
    draw = random.Random(seed).uniform
    features, targets = array("f"), array("f")
    for _ in range(rows):
        row = [draw(-1, 1) for _ in range(inputs - 1)] + [1.0]  # the last one stands for a bias
        features.extend(row)
        targets.append(row[0] * row[1] + 0.5 * row[2])
    return features, targets


class Perceptron:
    """
    Args:
        gpu: a driver.Gpu, or what behaves like one.
        atomic: let sums over all rows come in any order; else in one order, the same bits in every run.
    """

    def __init__(self, gpu: Any, rows: int, inputs: int, hidden: int, seed: int, *, atomic: bool) -> None:
        self._gpu, self._atomic = gpu, atomic
        self._rows, self._inputs, self._hidden = rows, inputs, hidden
        self._parts = min(PARTS, rows)
        draw = random.Random(seed + 1).uniform
        first, second = (
            array("f", (draw(-1, 1) / width**0.5 for _ in range(size)))
            for size, width in ((inputs * hidden, inputs), (hidden, hidden))
        )
        features, targets = make_data(rows, inputs, seed)
        self._x, self._t = gpu.upload(features), gpu.upload(targets)
        self._w1, self._w2 = gpu.upload(first), gpu.upload(second)
        self._h, self._dh = gpu.zeros(rows * hidden), gpu.zeros(rows * hidden)
        self._y, self._dy = gpu.zeros(rows), gpu.zeros(rows)
        self._g1, self._g2 = gpu.zeros(inputs * hidden), gpu.zeros(hidden)
        self._loss = gpu.zeros(1)
        self._sums = gpu.zeros(self._parts * inputs * hidden)

    def weights(self) -> dict[str, tuple[list[int], array[float]]]:
        """Name -> shape and values."""
        first = self._gpu.download(self._w1, self._inputs * self._hidden)
        second = self._gpu.download(self._w2, self._hidden)
        return {"first": ([self._inputs, self._hidden], first), "second": ([self._hidden, 1], second)}

    def train(self, steps: int, lr: float) -> Iterator[float]:
        """Mean squared error before each step."""
        for _ in range(steps):
            yield self._step(lr)

    def _step(self, lr: float) -> float:
        n, d, h = self._rows, self._inputs, self._hidden
        launch = self._gpu.launch
        self._matmul(self._h, self._x, (d, 1), self._w1, (h, 1), n, h, d)
        launch("relu", n * h, ("p", self._h), ("u", n * h))
        self._matmul(self._y, self._h, (h, 1), self._w2, (1, 1), n, 1, h)
        # of the mean of the squares: error * 2 / n
        launch(
            *("error", n, ("p", self._dy), ("p", self._y), ("p", self._t), ("u", n)),
            ("f", 2 / n),
        )
        self._over_rows(self._loss, self._dy, (1, 1), self._dy, (1, 1), 1, 1)
        self._over_rows(self._g2, self._h, (1, h), self._dy, (1, 1), h, 1)
        self._matmul(self._dh, self._dy, (1, 1), self._w2, (1, 1), n, h, 1)
        launch("relu_gradient", n * h, ("p", self._dh), ("p", self._h), ("u", n * h))
        self._over_rows(self._g1, self._x, (1, d), self._dh, (h, 1), d, h)
        launch("step", d * h, ("p", self._w1), ("p", self._g1), ("u", d * h), ("f", -lr))
        launch("step", h, ("p", self._w2), ("p", self._g2), ("u", h), ("f", -lr))
        return self._gpu.download(self._loss, 1)[0] * n / 4

    def _matmul(
        self, out: int, a: int, a_steps: tuple[int, int], b: int, b_steps: tuple[int, int], *shape: int
    ) -> None:
        """A product of rows x inner and inner x columns in one part, from memory with these steps."""
        rows, columns, inner = shape
        sizes = [("u", size) for size in (rows, columns, inner, *a_steps, *b_steps, inner)]
        self._gpu.launch("matmul_parts", rows * columns, ("p", out), ("p", a), ("p", b), *sizes)

    def _over_rows(
        self, out: int, a: int, a_steps: tuple[int, int], b: int, b_steps: tuple[int, int], *shape: int
    ) -> None:
        """A product over all rows of the data, in many parts."""
        rows, columns = shape
        size, part = rows * columns, -(-self._rows // self._parts)
        sizes = [("u", value) for value in (rows, columns, self._rows, *a_steps, *b_steps, part)]
        operands = [("p", a), ("p", b), *sizes]
        if self._atomic:
            self._gpu.clear(out, size)
            self._gpu.launch("matmul_atomic", size, ("p", out), *operands, parts=self._parts)
            return
        self._gpu.launch("matmul_parts", size, ("p", self._sums), *operands, parts=self._parts)
        self._gpu.launch("add_parts", size, ("p", out), ("p", self._sums), ("u", size), ("u", self._parts))
