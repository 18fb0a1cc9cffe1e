"""Which tensors of two safetensors files differ, and by how much?"""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

from reprobuild.core.comparison.content import Findings
from reprobuild.core.comparison.safetensors_header import (
    SafetensorsHeader,
    TensorEntry,
    header_size_bytes,
    parse_header,
)
from reprobuild.core.comparison.tensors import ValueDifferences, element_size_bytes, known_dtype
from reprobuild.core.comparison.text_causes import Context, value_causes
from reprobuild.domain.comparison import Cause, TensorDifference
from reprobuild.services.compare_files import differing_pieces, mapped


def compare_safetensors(
    file: str, first: Path, second: Path, first_differing_byte: int, context: Context
) -> Findings:
    """Compare tensor by tensor, whatever their order in the files.

    Args:
        first_differing_byte: equal bytes before it are not read again.
    Raises:
        ValueError: one of them is not a well-formed safetensors file.
    """
    found = Findings("safetensors")
    with first.open("rb", buffering=0) as one, second.open("rb", buffering=0) as other:
        headers = _header(one), _header(other)
        second_bytes = mapped(other)
        names = [
            *headers[0].tensors,
            *(name for name in headers[1].tensors if name not in headers[0].tensors),
        ]
        for name in names:
            sides = headers[0].tensors.get(name), headers[1].tensors.get(name)
            skipped = _end(sides) <= first_differing_byte
            difference = None if skipped else _difference(file, name, sides, one, second_bytes)
            if difference:
                found.tensors.append(difference)
    found.causes += _of_headers(file, headers, context, alone=not found.tensors)
    return found


def _end(sides: tuple[TensorEntry | None, TensorEntry | None]) -> int:
    # equal bytes at other places say nothing
    if sides[0] is None or sides[0] != sides[1]:
        return 1 << 62
    return sides[0].start + sides[0].size_bytes


def _header(file: BinaryIO) -> SafetensorsHeader:
    file_size = file.seek(0, 2)
    file.seek(0)
    size = header_size_bytes(file.read(8), file_size)
    return parse_header(file.read(size), file_size)


def _difference(
    file: str,
    name: str,
    sides: tuple[TensorEntry | None, TensorEntry | None],
    first: BinaryIO,
    second: memoryview,
) -> TensorDifference | None:
    one, other = sides
    fields: dict[str, Any] = {"file": file, "name": name}
    for side, entry in (("first", one), ("second", other)):
        if entry:
            fields |= {f"{side}_dtype": entry.dtype, f"{side}_shape": entry.shape}
    if one is None or other is None:
        return TensorDifference(state="extra" if one is None else "missing", **fields)
    if one.dtype != other.dtype:
        return TensorDifference(state="dtype", **fields)
    if one.shape != other.shape or one.size_bytes != other.size_bytes:
        return TensorDifference(state="shape", **fields)
    pieces = differing_pieces(first, second, one.start, other.start, one.size_bytes)
    if not known_dtype(one.dtype):
        return TensorDifference(state="values", **fields) if next(pieces, None) else None
    added = None
    for offset, left, right in pieces:
        added = added or ValueDifferences(one.dtype, one.shape)
        added.add(offset // element_size_bytes(one.dtype), left, right)
    return TensorDifference(state="values", **fields, **added.fields()) if added else None


def _of_headers(
    file: str, headers: tuple[SafetensorsHeader, SafetensorsHeader], context: Context, *, alone: bool
) -> list[Cause]:
    """Explanations of what the headers say besides types and shapes.

    Args:
        alone: no tensor differs.
    """
    first, second = headers
    found = []
    for key in first.metadata:
        if key in second.metadata and first.metadata[key] != second.metadata[key]:
            sides = first.metadata[key], second.metadata[key]
            found += value_causes(file, key, *sides, context, f"metadata, key {key}")
    if not alone or found or first.metadata != second.metadata:
        return found
    if list(first.metadata) != list(second.metadata):
        orders = f"{', '.join(first.metadata)} and {', '.join(second.metadata)}"
        evidence = f"equal tensors; the metadata's keys come in another order: {orders}"
        return [Cause(cause="key order", file=file, place="metadata", evidence=evidence, certainty="shown")]
    if list(first.tensors) != list(second.tensors):
        names = next(pair for pair in zip(first.tensors, second.tensors, strict=True) if pair[0] != pair[1])
        evidence = (
            f"equal tensors, written in another order: {names[0]} and {names[1]} come at the same place"
        )
        return [
            Cause(
                cause="set or folder order", file=file, place="header", evidence=evidence, certainty="shown"
            )
        ]
    return []
