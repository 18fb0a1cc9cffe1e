"""Is this number or text a point in time?"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass

NEAR_S = 86_400.0  # of a known build: the same day
UNITS = {"seconds": 1.0, "milliseconds": 1e3, "microseconds": 1e6, "nanoseconds": 1e9}

_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_DAYS = "Mon|Tue|Wed|Thu|Fri|Sat|Sun"
# dates and times of day as ISO 8601, RFC 2822, C's ctime and loggers write them
TIME_TEXT = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:[T _]\d{2}[:-]\d{2}(?:[:-]\d{2}(?:[.,]\d+)?)?)?(?:Z|[+-]\d{2}:?\d{2})?"
    rf"|(?:{_DAYS}),? (?:\d{{1,2}} (?:{_MONTHS}) \d{{4}} [\d:]+|(?:{_MONTHS}) +\d{{1,2}} [\d:]+ \d{{4}})"
    r"|\b20\d{6}[T_-]?\d{6}Z?\b"
    r"|\b\d{2}:\d{2}:\d{2}(?:[.,]\d+)?\b"
)
TIME_NUMBER = re.compile(r"\b1\d{9}(?:\d{3}|\d{6}|\d{9})?(?:\.\d+)?\b")


@dataclass(frozen=True)
class Clock:
    """When the two sides were built, as far as it is known, in seconds since 1970."""

    builds_s: tuple[float, ...]
    now_s: float

    def near(self, time_s: float) -> bool:
        """On the day of a build, and not in the future."""
        return any(abs(time_s - build) <= NEAR_S for build in self.builds_s) and time_s <= self.now_s + NEAR_S


def time_of_number(value: float, clock: Clock) -> tuple[float, str] | None:
    """Seconds since 1970 and the unit, if the number counts from there to the day of a build."""
    if not 0 < value < 2**63:
        return None
    for unit, per_second in UNITS.items():
        if clock.near(value / per_second):
            return value / per_second, unit
    return None


def said(time_s: float) -> str:
    """Such as 2026-11-21 05:51:27 UTC."""
    return f"{datetime.datetime.fromtimestamp(time_s, datetime.UTC):%Y-%m-%d %H:%M:%S} UTC"


def stamp_in_bytes(first: bytes, second: bytes, clock: Clock) -> tuple[int, float, float] | None:
    """A time in binary among bytes that differ: its offset, and both times.

    Whole numbers of 4 or 8 bytes and 8-byte floats, in both byte orders, are tried at every offset.
    """
    import struct

    for start in range(min(len(first), len(second)) - 3):
        for form, size in _forms():
            sides = (first[start : start + size], second[start : start + size])
            if sides[0] == sides[1] or len(sides[0]) < size or len(sides[1]) < size:
                continue
            times = [time_of_number(struct.unpack(form, side)[0], clock) for side in sides]
            if times[0] and times[1] and times[0][1] == times[1][1]:
                return start, times[0][0], times[1][0]
    return None


def _forms() -> Iterable[tuple[str, int]]:
    return (("<I", 4), (">I", 4), ("<Q", 8), (">Q", 8), ("<d", 8), (">d", 8))
