"""From where on do two texts or byte strings differ?"""

from __future__ import annotations

from typing import TypeVar

Sequence = TypeVar("Sequence", str, bytes)


def first_difference(first: Sequence, second: Sequence) -> int | None:
    """Index of the first difference, or the length of the shorter one; None if both are equal.

    Halves are compared as wholes, which is as quick as memory.
    """
    begin, end = 0, min(len(first), len(second))
    if first[:end] == second[:end]:
        return None if len(first) == len(second) else end
    while end - begin > 1:
        middle = (begin + end) // 2
        if first[begin:middle] != second[begin:middle]:
            end = middle
        else:
            begin = middle
    return begin
