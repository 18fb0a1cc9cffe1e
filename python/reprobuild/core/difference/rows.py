"""Which rows differ between two tables: CSV or JSON Lines, also in gzip?"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from reprobuild.domain.difference import RowChange, RowChanges

MOST_EXAMPLES = 5
LONGEST_ROW = 120  # characters of a row that are shown
MAX_TABLE_BYTES = 256 << 20  # unpacked; larger tables are not read


def is_table(file_name: str) -> bool:
    return file_name.removesuffix(".gz").endswith((".csv", ".jsonl"))


def row_changes(file_name: str, first: bytes, second: bytes) -> RowChanges:
    """Rows added, removed and changed: a row is changed where one stands in another's place between equal neighbours.

    Rows are compared as a multiset, so that moved rows count as equal; linear in their number.

    Raises:
        ValueError: one of them is no such table, or too large.
    """
    headers, tables = zip(_read(file_name, first), _read(file_name, second), strict=True)
    counts = Counter(tables[0]), Counter(tables[1])
    left = _residue(tables[0], counts[0] - counts[1]), _residue(tables[1], counts[1] - counts[0])
    changes = list(_paired(tables, left))
    states = Counter(change.state for change in changes)
    return RowChanges(
        added=states["added"],
        removed=states["removed"],
        changed=states["changed"],
        reordered=not changes and tables[0] != tables[1],
        columns_added=tuple(name for name in headers[1] if name not in headers[0]),
        columns_removed=tuple(name for name in headers[0] if name not in headers[1]),
        columns_reordered=headers[0] != headers[1] and sorted(headers[0]) == sorted(headers[1]),
        examples=tuple(changes[:MOST_EXAMPLES]),
    )


def _read(file_name: str, content: bytes) -> tuple[tuple[str, ...], list[str]]:
    """Column names (none of JSON Lines) and rows, each as one canonical text."""
    text = _unpacked(file_name, content).decode("utf-8-sig")
    if file_name.removesuffix(".gz").endswith(".jsonl"):
        lines = (line for line in text.split("\n") if line.strip())  # JSON's texts may hold other line ends
        try:
            return (), [json.dumps(json.loads(line), sort_keys=True, ensure_ascii=False) for line in lines]
        except RecursionError as error:
            raise ValueError("its JSON is nested too deep") from error
    try:
        rows = [",".join(map(_cell, row)) for row in csv.reader(io.StringIO(text, newline="")) if row]
        header = next(iter(csv.reader(io.StringIO(text, newline=""))), [])
    except csv.Error as error:
        raise ValueError(f"not a CSV table: {error}") from error
    return (tuple(header), rows[1:]) if _names_columns(header) else ((), rows)


def _unpacked(file_name: str, content: bytes) -> bytes:
    if file_name.endswith(".gz"):
        try:
            with gzip.open(io.BytesIO(content)) as stream:
                content = stream.read(MAX_TABLE_BYTES + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"not gzip: {error}") from error
    if len(content) > MAX_TABLE_BYTES:
        raise ValueError(f"larger than {MAX_TABLE_BYTES >> 20} MiB")
    return content


def _cell(value: str) -> str:
    return '"' + value.replace('"', '""') + '"' if any(mark in value for mark in ',"\n\r') else value


def _names_columns(row: Sequence[str]) -> bool:
    """A first row without numbers names the columns."""
    return bool(row) and not any(_is_number(cell) for cell in row)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _residue(rows: Sequence[str], surplus: Counter[str]) -> dict[int, list[int]]:
    """How many shared rows come before → indices of rows that only this side has, from there on.

    Of equal rows the last ones are taken as the surplus.
    """
    left = dict(surplus)
    own = set()
    for index in range(len(rows) - 1, -1, -1) if left else ():
        if left.get(rows[index], 0):
            left[rows[index]] -= 1
            own.add(index)
    places: dict[int, list[int]] = {}
    for before, index in enumerate(sorted(own)):
        places.setdefault(index - before, []).append(index)
    return places


def _paired(
    tables: tuple[Sequence[str], ...], left: tuple[dict[int, list[int]], dict[int, list[int]]]
) -> Iterator[RowChange]:
    for place in sorted(left[0].keys() | left[1].keys()):
        for one, other in zip_longest(left[0].get(place, ()), left[1].get(place, ())):
            yield RowChange(
                state="added" if one is None else "removed" if other is None else "changed",
                first_row=None if one is None else one + 1,
                second_row=None if other is None else other + 1,
                first=None if one is None else _shown(tables[0][one]),
                second=None if other is None else _shown(tables[1][other]),
            )


def _shown(row: str) -> str:
    return printable(row if len(row) <= LONGEST_ROW else row[: LONGEST_ROW - 1] + "…")


def printable(text: str) -> str:
    """Control characters and the like as escapes: no terminal obeys them, and a row stays in one line."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)
