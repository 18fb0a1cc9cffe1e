"""What do people read about the difference of two models?"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from reprobuild.cli.render import size, table
from reprobuild.core.difference.rows import printable
from reprobuild.domain.difference import (
    Closure,
    CodeChange,
    DataChange,
    DerivationDifference,
    Difference,
    Interval,
    MetricChange,
    PackageChange,
    State,
    ValueChange,
    WeightsChange,
)

MOST = 12  # lines of one section; JSON has all
LONGEST_VALUE = 60
_DIGEST = re.compile(r"(sha256-[A-Za-z0-9+/]{12}|/nix/store/[a-z0-9]{7})[A-Za-z0-9+/]+=?")
SIGN: dict[State, str] = {"added": "+", "removed": "-", "changed": "~"}


def diff_text(found: Difference) -> str:
    """The two sides, each section with differences, and the answer in the last line."""
    parts = [[f"- {_side(found, 0)}", f"+ {_side(found, 1)}"]]
    parts += [[title, *(f"  {line}" for line in shortened(lines))] for title, lines in sections(found)]
    if found.not_compared:
        parts.append(["not compared", *(f"  {line}" for line in found.not_compared)])
    limit = " as far as compared" if found.same and found.not_compared else ""
    parts.append(["same" + limit if found.same else "different"])
    return "\n\n".join("\n".join(map(printable, part)) for part in parts)


def sections(found: Difference) -> Iterator[tuple[str, list[str]]]:
    """Title and lines of everything that differs, what matters most first."""
    meaning = found.meaning
    listed = [
        ("metrics", [metric_line(one) for one in meaning.metrics]),
        ("parameters", [value_line(one) for one in meaning.parameters]),
        ("data", [line for one in meaning.data for line in data_lines(one)]),
        ("code", [line for one in meaning.code for line in _code_lines(one)]),
        ("software", [value_line(one) for one in meaning.software]),
        ("weights", [line for one in meaning.weights for line in _weights_lines(one)]),
        ("spec", [value_line(one) for one in meaning.spec]),
        ("machine", [value_line(one) for one in meaning.machine]),
        ("packages", closure_lines(found.closure) if found.closure else []),
        ("cause", [line for one in origins(found.cause or ()) for line in cause_lines(one)]),
        ("outputs", [value_line(one) for one in meaning.outputs]),
    ]
    yield from ((title, lines) for title, lines in listed if lines)


def origins(cause: tuple[DerivationDifference, ...]) -> list[DerivationDifference]:
    """Derivations that differ in themselves, without the model where it repeats what others have said."""
    found = [one for one in cause if one.is_origin]
    return [one for one in found if not one.repeats_the_spec] or found


def shortened(lines: list[str]) -> list[str]:
    more = len(lines) - MOST
    return lines if more <= 0 else [*lines[:MOST], f"… and {more} lines more: --json has all"]


def metric_line(one: MetricChange) -> str:
    """Such as `accuracy  0.9 → 0.975  (+0.075; 95 % interval +0.07 to +0.08, by 10 runs of the baseline)`."""
    sides = " → ".join("not measured" if value is None else f"{value:g}" for value in (one.first, one.second))
    if one.delta is None:
        return f"{one.name}  {sides}"
    interval = f"; 95 % interval {interval_text(one.interval)}" if one.interval else ""
    return f"{one.name}  {sides}  ({one.delta:+.4g}{interval})"


def interval_text(one: Interval) -> str:
    """What holds zero may be no change at all: other seeds do as much."""
    noise = ": other seeds do as much" if one.low <= 0 <= one.high else ""
    return f"{one.low:+.4g} to {one.high:+.4g}, by {one.runs} runs of the baseline{noise}"


def value_line(one: ValueChange) -> str:
    """Such as `~ stages.train.params.lr  0.1 → 0.2`."""
    values = [value_text(value) for value in (one.first, one.second) if value is not None]
    return f"{SIGN[one.state]} {one.name}  {' → '.join(values)}"


def value_text(value: Any) -> str:
    """A value in one line; digests and store paths as short as people tell them apart."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = _DIGEST.sub(r"\1…", text)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def data_lines(one: DataChange) -> Iterator[str]:
    """The dataset, then what is known of its rows."""
    sizes = " → ".join(
        size(value) for value in (one.first_size_bytes, one.second_size_bytes) if value is not None
    )
    yield f"{SIGN[one.state]} {one.name}  {sizes}"
    if one.rows_unknown:
        yield f"    rows not compared: {one.rows_unknown}"
    if one.rows is None:
        return
    rows = one.rows
    numbers = (("added", rows.added), ("removed", rows.removed), ("changed", rows.changed))
    counts = [f"{number} {word}" for word, number in numbers if number]
    same = "the same in another order" if rows.reordered else "the same"
    yield f"    rows: {', '.join(counts) or same}"
    for word, names in (("added", rows.columns_added), ("removed", rows.columns_removed)):
        if names:
            yield f"    columns {word}: {', '.join(names)}"
    if rows.columns_reordered:
        yield "    columns: the same in another order"
    for row in rows.examples:
        number = row.second_row if row.first_row is None else row.first_row
        sides = " → ".join(value_text(text) for text in (row.first, row.second) if text is not None)
        yield f"    {SIGN[row.state]} row {number}: {sides}"


def _code_lines(one: CodeChange) -> Iterator[str]:
    yield f"{SIGN[one.state]} {one.file}" + ("  comments or layout only" if one.layout_only else "")
    yield from (f"    {SIGN[function.state]} {function.name}" for function in one.functions)


def _weights_lines(one: WeightsChange) -> Iterator[str]:
    total = one.equal_tensors + len(one.tensors)
    yield f"{SIGN[one.state]} {one.file}" + (
        f"  {len(one.tensors)} of {total} tensors differ" if total else ""
    )
    for tensor in one.tensors:
        if tensor.state == "values" and tensor.elements:
            largest = (
                f", largest difference {tensor.max_absolute:.3g}" if tensor.max_absolute is not None else ""
            )
            yield f"    ~ {tensor.name}: {tensor.differing_elements} of {tensor.elements} values{largest}"
        else:
            yield f"    ~ {tensor.name}: {tensor.state}"


def closure_lines(closure: Closure) -> list[str]:
    """Totals of the kinds that differ, with what is unique to each side; then every changed package."""
    rows = [
        [
            f"{one.kind}:",
            f"{one.first_count} → {one.second_count}",
            f"{size(one.first_size_bytes)} → {size(one.second_size_bytes)}",
            f"unique {size(one.first_only_bytes)} → {size(one.second_only_bytes)}",
        ]
        for one in closure.totals
        if one.first_only_bytes or one.second_only_bytes
    ]
    return [*table(rows), *(package_line(one) for one in closure.packages)]


def package_line(one: PackageChange) -> str:
    """Such as `~ wheel numpy  2.4.5 → 2.4.6  (16.5 MB → 16.6 MB)`."""
    versions = [text for text in (one.first_version, one.second_version) if text]
    sizes = [size(value) for value in (one.first_size_bytes, one.second_size_bytes) if value is not None]
    columns = [f"{SIGN[one.state]} {one.kind} {one.name}", *_arrow(versions), f"({''.join(_arrow(sizes))})"]
    return "  ".join(columns)


def _arrow(values: list[str]) -> list[str]:
    """Both values, or the one that both are; nothing where there is none."""
    return [" → ".join(dict.fromkeys(values))] if values else []


def cause_lines(one: DerivationDifference) -> Iterator[str]:
    """The derivation with the path that leads to it, then what differs in it."""
    yield " ← ".join(reversed(one.path))
    yield from (f"    {value_line(change)}" for change in one.own)
    yield from (f"    + input {name}" for name in one.inputs_added)
    yield from (f"    - input {name}" for name in one.inputs_removed)


def _side(found: Difference, number: int) -> str:
    side = (found.first, found.second)[number]
    signed = f"signed by {', '.join(side.signed_by)}" if side.signed_by else None
    return "  ".join(part for part in (side.kind, side.named, side.model, side.artifact_id, signed) if part)
