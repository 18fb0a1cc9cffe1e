"""Why do two contents of one file differ? For all that fits in memory; tensors have files of their own."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass, field
from typing import Any

from reprobuild.core.comparison.archives import packing_difference, read_archive
from reprobuild.core.comparison.json_values import differences, summary, written_difference
from reprobuild.core.comparison.npy import MAGIC, npy_difference
from reprobuild.core.comparison.sequences import first_difference
from reprobuild.core.comparison.text_causes import Context, shortened, text_causes, value_causes
from reprobuild.core.comparison.times import said, stamp_in_bytes
from reprobuild.core.comparison.trajectory import is_trajectory, trajectory_difference
from reprobuild.domain.comparison import Cause, JsonDifference, TensorDifference, TrajectoryDifference

MOST_PLACES = 200  # differences of one file that are looked at
LONGEST_LINE = 4096  # characters of a line that are looked at
NEIGHBOURHOOD_BYTES = 64  # of the first differing byte of a binary file


@dataclass
class Findings:
    """What was found out about one file, or several."""

    format: str = "binary"
    first_differing_line: int | None = None
    tensors: list[TensorDifference] = field(default_factory=list)
    documents: list[JsonDifference] = field(default_factory=list)
    trajectory: TrajectoryDifference | None = None
    causes: list[Cause] = field(default_factory=list)

    def add(self, other: Findings) -> None:
        """Take in what was found in another file; the first trajectory stays."""
        self.tensors += other.tensors
        self.documents += other.documents
        self.trajectory = self.trajectory or other.trajectory
        self.causes += other.causes


def explain(file: str, first: bytes, second: bytes, context: Context, inside: str = "") -> Findings:
    """Look at two contents that are not equal, as whatever they are.

    Args:
        inside: where the contents lie within the file, such as `member a.txt, `.
    """
    archives = read_archive(first), read_archive(second)
    if archives[0] and archives[1] and archives[0].format == archives[1].format:
        return _of_archives(file, archives, context, inside)
    if first.startswith(MAGIC) and second.startswith(MAGIC):
        name = inside.removeprefix("member ").removesuffix(", ").removesuffix(".npy") or "array"
        array = npy_difference(file, name, first, second)
        return Findings("npy", tensors=[array] if array else [])
    texts = _text(first), _text(second)
    if texts[0] is None or texts[1] is None:
        return Findings("binary", causes=_of_bytes(file, first, second, context, inside))
    documents = _parsed(texts[0]), _parsed(texts[1])
    if documents[0] is not None and documents[1] is not None:
        with contextlib.suppress(RecursionError):  # nested too deeply: a text, then
            return _of_json(file, documents, context, inside)
    return _of_text(file, (texts[0], texts[1]), context, inside)


def _of_archives(file: str, archives: Any, context: Context, inside: str) -> Findings:
    first, second = archives
    found = Findings(first.format)
    if packing := packing_difference(first, second):
        found.causes.append(
            Cause(
                cause="archive metadata",
                file=file,
                place=f"{inside}{first.format} headers",
                evidence=f"the same members with the same content, packed otherwise: {packing}",
                certainty="shown",
            )
        )
        return found
    others = {member.name: member.content for member in second.members}
    for member in first.members:
        if member.name in others and others[member.name] != member.content:
            where = f"{inside}member {member.name}, " if member.name else inside
            inner = explain(file, member.content, others[member.name], context, where)
            found.tensors += inner.tensors
            found.causes += inner.causes
    return found


def _of_json(file: str, documents: Any, context: Context, inside: str) -> Findings:
    first, second = documents
    found = Findings("json")
    if is_trajectory(first) and is_trajectory(second):
        found.format = "trajectory"
        try:
            found.trajectory = trajectory_difference(file, first, second)
        except (ValueError, TypeError, AttributeError):  # only its schema says so: it is JSON all the same
            found.format = "json"
    places = list(differences(first, second))
    if not places:
        one = written_difference(first, second)
        found.documents.append(summary(file, [one]))
        if one.state == "key order":
            place = f"{inside}keys of {one.key_path or 'the document'}"
            orders = f"{shortened(', '.join(one.first))} and {shortened(', '.join(one.second))}"
            evidence = f"the same values under keys in another order: {orders}"
            found.causes.append(_shown("key order", file, place, evidence))
        return found
    found.documents.append(summary(file, places))
    if found.trajectory:
        return found
    for one in places[:MOST_PLACES]:
        where = f"{inside}key {one.key_path}" if one.key_path else f"{inside}the document"
        if one.state == "element order":
            orders = f"{shortened(str(one.first))} and {shortened(str(one.second))}"
            evidence = f"the same elements in another order: {orders}"
            found.causes.append(_shown("set or folder order", file, where, evidence))
        elif one.state == "value":
            found.causes += value_causes(file, one.key_path, one.first, one.second, context, where)
    return found


def _of_text(file: str, texts: tuple[str, str], context: Context, inside: str) -> Findings:
    lines = [side.splitlines() for side in texts]
    pairs = [
        (number, one, other)
        for number, (one, other) in enumerate(zip(*lines, strict=False), start=1)
        if one != other
    ]
    found = Findings("text", first_differing_line=pairs[0][0] if pairs else min(map(len, lines)) + 1)
    if pairs and sorted(lines[0]) == sorted(lines[1]):
        number, one, other = pairs[0]
        evidence = (
            f"the same lines in another order; line {number} is {shortened(one)!r} and {shortened(other)!r}"
        )
        found.causes.append(_shown("set or folder order", file, f"{inside}line {number}", evidence))
        return found
    for number, one, other in pairs[:MOST_PLACES]:
        found.causes += text_causes(file, f"{inside}line {number}", *_around(one, other), context)
    return found


def _of_bytes(file: str, first: bytes, second: bytes, context: Context, inside: str) -> list[Cause]:
    place = first_difference(first, second)
    if place is None:
        return []
    start, end = max(0, place - 7), place + NEIGHBOURHOOD_BYTES
    sides = first[start:end], second[start:end]
    if stamp := stamp_in_bytes(*sides, context.clock):
        evidence = (
            f"bytes that count from 1970 to the day of the build: {said(stamp[1])} and {said(stamp[2])}"
        )
        where = f"{inside}byte {start + stamp[0]}"
        return [Cause(cause="time stamp", file=file, place=where, evidence=evidence, certainty="likely")]
    words = _printable(first, place), _printable(second, place)
    return text_causes(file, f"{inside}byte {place}", words[0], words[1], context) if all(words) else []


def _around(first: str, second: str) -> tuple[str, str]:
    """Both lines, or of very long ones the part where they begin to differ."""
    start = max(0, (first_difference(first, second) or 0) - LONGEST_LINE // 8)
    if max(len(first), len(second)) <= LONGEST_LINE:
        start = 0
    return first[start : start + LONGEST_LINE], second[start : start + LONGEST_LINE]


def _printable(data: bytes, place: int) -> str:
    """The printable text around a byte."""
    start = max(0, place - NEIGHBOURHOOD_BYTES)
    around = data[start : place + 4 * NEIGHBOURHOOD_BYTES]
    hit = next((run for run in re.finditer(rb"[\x20-\x7e]+", around) if run.end() > place - start), None)
    return hit.group().decode() if hit and hit.start() <= place - start else ""


def _text(data: bytes) -> str | None:
    if b"\0" in data:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _parsed(text: str) -> Any:
    """The JSON document; None for anything else. A bare number or word is text, too."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _shown(cause: Any, file: str, place: str, evidence: str) -> Cause:
    return Cause(cause=cause, file=file, place=place, evidence=evidence, certainty="shown")
