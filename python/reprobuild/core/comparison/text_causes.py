"""What explains that two pieces of text, or two values, are not the same?

Each rule takes one kind of thing out of both sides: times, paths, names of hosts, process ids, addresses, random ids.
When both sides are equal without it, the rule is the explanation, shown and not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from reprobuild.core.comparison.times import TIME_NUMBER, TIME_TEXT, Clock, said, time_of_number
from reprobuild.domain.comparison import Cause, CauseClass

MOST_CHARACTERS = 80  # of a value in an evidence
LAST_DIGITS = 1e-5  # numbers that are closer than this, relatively, differ by rounding


@dataclass(frozen=True)
class Context:
    """What is known of both builds."""

    clock: Clock
    host_names: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Rule:
    cause: CauseClass
    what: str
    pattern: re.Pattern[str]
    holds: Callable[[str, Context], bool] = lambda _text, _context: True


_RULES = (
    _Rule("time stamp", "a time", TIME_TEXT),
    _Rule(
        "time stamp",
        "a number that counts from 1970 to the day of the build",
        TIME_NUMBER,
        lambda text, context: time_of_number(float(text), context.clock) is not None,
    ),
    _Rule("memory address", "an address in memory", re.compile(r"\b0x[0-9a-f]{6,16}\b")),
    _Rule(
        "unseeded random source",
        "a random id (UUID)",
        re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE),
    ),
    _Rule("embedded path", "a path", re.compile(r"(?<![\w:/])/(?:[\w.+-]+/)+[\w.+-]+|\btmp[a-z0-9_]{8}\b")),
    _Rule(
        "host name or process id",
        "a process id",
        re.compile(r"\b(?:p?pid|process)\b\W{0,2}\d+", re.IGNORECASE),
    ),
    _Rule(
        "host name or process id",
        "a host's name",
        re.compile(r"\bhost(?:name)?\b\W{0,2}[\w.-]+", re.IGNORECASE),
    ),
)

# keys that say what their value is, and of which types it then is
_KEYS: tuple[tuple[CauseClass, str, type | tuple[type, ...], re.Pattern[str]], ...] = (
    ("host name or process id", "process id", int, re.compile(r"(^|_)(p?pid|process_?id|thread_?id)$")),
    (
        "host name or process id",
        "name of the machine or its parts",
        str,
        re.compile(r"(^|_)(host|host_?name|node|node_?name|machine|kernel|cpu|cpu_?model|gpu)$"),
    ),
    (
        "time stamp",
        "time or duration",
        (int, float),
        re.compile(
            r"(^|_)(time|times?tamp|date|seconds|duration|elapsed|took|wall|cpu|speed)(_m?s|_ns)?$|_m?s$|_per_s"
        ),
    ),
    ("embedded path", "path", str, re.compile(r"(^|_)(path|folder|dir|directory|file_?name|cwd)$")),
    ("memory address", "address in memory", (int, str), re.compile(r"(^|_)(address|id_of)$")),
)


def text_causes(file: str, place: str, first: str, second: str, context: Context) -> list[Cause]:
    """Explanations of two texts that are not equal; empty when no rule fits."""
    found: list[tuple[CauseClass, str]] = []
    rest = [first, second]
    for rule in _rules(context):
        hits = [[hit for hit in rule.pattern.findall(side) if rule.holds(hit, context)] for side in rest]
        if len(hits[0]) == len(hits[1]) and hits[0] != hits[1]:
            pair = next(pair for pair in zip(*hits, strict=True) if pair[0] != pair[1])
            found.append(
                (rule.cause, f"{rule.what}: {shortened(pair[0].strip())} and {shortened(pair[1].strip())}")
            )
            rest = [_without(rule, side, context) for side in rest]
    certainty: Any = "shown" if rest[0] == rest[1] else "likely"
    causes = [
        Cause(cause=cause, file=file, place=place, evidence=evidence, certainty=certainty)
        for cause, evidence in found
    ]
    if not causes and first != second and (tokens := _tokens(first)) == _tokens(second) and len(tokens) > 1:
        causes.append(
            Cause(
                cause="set or folder order",
                file=file,
                place=place,
                evidence=f"the same words in another order: {shortened(first)} and {shortened(second)}",
                certainty="likely",
            )
        )
    return causes


def value_causes(
    file: str, key_path: str, first: Any, second: Any, context: Context, place: str | None = None
) -> list[Cause]:
    """Explanations of two JSON values that are not equal; the key's name counts too."""
    where = place or f"key {key_path}"
    if _is_number(first) and _is_number(second):
        times = [time_of_number(side, context.clock) for side in (first, second)]
        if times[0] and times[1]:
            moments = f"{said(times[0][0])} and {said(times[1][0])}, in {times[0][1]} since 1970"
            evidence = f"{first} and {second} are {moments}"
            return [Cause(cause="time stamp", file=file, place=where, evidence=evidence, certainty="likely")]
    elif (
        isinstance(first, str)
        and isinstance(second, str)
        and (causes := text_causes(file, where, first, second, context))
    ):
        return causes
    key = re.split(r"[.\[]", re.sub(r"(\[\d+\])+$", "", key_path))[-1].lower()
    sides = f"{shortened(str(first))} and {shortened(str(second))}"
    for cause, what, types, pattern in _KEYS:
        if isinstance(first, types) and isinstance(second, types) and pattern.search(key):
            evidence = f"the key's name says that it is a {what}: {sides}"
            return [Cause(cause=cause, file=file, place=where, evidence=evidence, certainty="likely")]
    if isinstance(first, float) and isinstance(second, float) and _close(first, second):
        evidence = f"the numbers differ in their last digits only, as by rounding: {first!r} and {second!r}"
        return [Cause(cause="reduction order", file=file, place=where, evidence=evidence, certainty="likely")]
    return []


def shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"


def _rules(context: Context) -> Iterator[_Rule]:
    yield from _RULES
    if context.host_names:
        names = "|".join(map(re.escape, sorted(context.host_names, key=len, reverse=True)))
        yield _Rule("host name or process id", "a host's name", re.compile(rf"\b(?:{names})\b"))


def _without(rule: _Rule, text: str, context: Context) -> str:
    return rule.pattern.sub(lambda hit: "�" if rule.holds(hit.group(), context) else hit.group(), text)


def _tokens(text: str) -> list[str]:
    return sorted(re.findall(r"[\w.-]+", text))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _close(first: float, second: float) -> bool:
    return abs(first - second) <= LAST_DIGITS * max(abs(first), abs(second))
