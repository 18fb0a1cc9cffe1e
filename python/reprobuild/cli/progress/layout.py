"""What the live view says, as rows of plain text: no rich here, so that it can be tested by reading it."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from reprobuild.core.build_state import BuildState, BuildStatus
from reprobuild.core.build_tree import BuildTree

_OTHERS = "others"  # what has neither a label nor a group
_WAITING = (BuildStatus.PLANNED,)


@dataclass(frozen=True, slots=True)
class Glyphs:
    marks: Mapping[BuildStatus, str]
    download: str
    separator: str
    ellipsis: str
    last_line: str
    bars: str  # from low to high


UNICODE = Glyphs(
    marks={
        BuildStatus.PLANNED: "·",
        BuildStatus.RUNNING: "▸",
        BuildStatus.DONE: "✔",
        BuildStatus.FAILED: "✘",
        BuildStatus.BLOCKED: "∅",
        BuildStatus.STOPPED: "■",
    },
    download="↓",
    separator=" · ",
    ellipsis="…",
    last_line="└",
    bars="▁▂▃▄▅▆▇█",
)
ASCII = Glyphs(
    marks={
        BuildStatus.PLANNED: ".",
        BuildStatus.RUNNING: ">",
        BuildStatus.DONE: "+",
        BuildStatus.FAILED: "x",
        BuildStatus.BLOCKED: "-",
        BuildStatus.STOPPED: "!",
    },
    download="v",
    separator=", ",
    ellipsis="~",
    last_line="`",
    bars="_.-=*#",
)


@dataclass(frozen=True, slots=True)
class Part:
    text: str
    style: str = ""
    rank: int = 0  # the highest is left out first where the line is too narrow


@dataclass(frozen=True, slots=True)
class Row:
    mark: str
    style: str  # of the mark
    label: str
    parts: tuple[Part, ...] = field(default=())

    def fitted(self, width: int, label_width: int, ellipsis: str) -> tuple[str, tuple[Part, ...]]:
        """Label padded to its column, and the parts that fit in `width` columns, two blanks between."""
        room = max(1, width - 2)
        label = shorten(self.label, min(room, max(label_width, 1)), ellipsis)
        parts = list(self.parts)
        while parts and label_width + sum(len(part.text) + 2 for part in parts) > room:
            if len(parts) == 1:
                left = room - label_width - 2
                parts = [Part(shorten(parts[0].text, left, ellipsis), parts[0].style)] if left > 3 else []
                break
            parts.remove(max(reversed(parts), key=lambda part: part.rank))
        return (label.ljust(label_width) if parts else label), tuple(parts)


def rows(
    tree: BuildTree, groups: Mapping[str, str], now_s: float, glyphs: Glyphs, *, live: bool
) -> list[Row]:
    """The whole view, top to bottom. `live` adds what only matters while it runs."""
    result: list[Row] = []
    unlabelled = [state for state in list(tree.builds.values()) if not state.label]
    waiting: list[str] = []
    for state in list(tree.builds.values()):
        if not state.label:
            if state is unlabelled[0]:
                result.append(_group_row(unlabelled, groups, now_s, glyphs, live=live))
                result += [
                    _build_row(one, now_s, glyphs) for one in unlabelled if one.status is BuildStatus.FAILED
                ]
        elif state.status in _WAITING:
            waiting.append(state.label)
        else:
            result.append(_build_row(state, now_s, glyphs))
            if live and state.status is BuildStatus.RUNNING and not state.metrics and state.last_lines:
                result.append(
                    Row(" ", "", "", (Part(f"{glyphs.last_line} {state.last_lines[-1].strip()}", "dim"),))
                )
    if live:
        result += _download_rows(tree, glyphs)
    if waiting:
        word = "waiting" if live else "not built"
        mark = glyphs.marks[BuildStatus.PLANNED]
        result.append(Row(mark, "dim", word, (Part(_listed(waiting, glyphs), "dim"),)))
    return result


def _build_row(state: BuildState, now_s: float, glyphs: Glyphs) -> Row:
    parts: list[Part] = []
    if state.status is BuildStatus.FAILED:
        parts.append(Part("failed", "red"))
    elif state.status in (BuildStatus.BLOCKED, BuildStatus.STOPPED):
        parts.append(Part(state.status.value, "yellow"))
    parts += _progress_parts(state, glyphs)
    if state.machine:
        parts.append(Part(f"on {state.machine.split('@')[-1]}", "dim", rank=6))
    if state.started_s is not None:
        parts.append(Part(duration(state.elapsed_s(now_s)), "dim", rank=3))
    return Row(glyphs.marks[state.status], _STYLES[state.status], state.label or state.name, tuple(parts))


def _progress_parts(state: BuildState, glyphs: Glyphs) -> Iterable[Part]:
    if (metrics := state.metrics) is not None:
        if metrics.epoch:
            of = f"/{metrics.epochs}" if metrics.epochs else ""
            yield Part(f"epoch {metrics.epoch}{of}", rank=1)
        for rank, (name, value) in enumerate(list(metrics.values.items())[:2]):
            yield Part(f"{name} {number(value)}", "cyan", rank=2 + 3 * rank)
            if rank == 0 and len(history := list(metrics.history[name])) > 1:
                yield Part(sparkline(history, glyphs.bars), "cyan", rank=4)
    if state.status is not BuildStatus.RUNNING:
        return
    counters = [steps for steps in list(state.steps.values()) if steps.expected]
    if counters and (metrics is None or len(counters) > 1):
        inner = counters[-1]
        words = _own_words(inner.text, state)
        if metrics is not None:  # the row tells the epoch already
            words = re.sub(r"^epoch \d+/\d+ ", "", words)
        yield Part(f"{words} {inner.done}/{inner.expected}", "dim", rank=1 if metrics is None else 6)
    elif metrics is None and state.phase and state.phase != state.label:
        yield Part(_own_words(state.phase, state), "dim", rank=3)


def _own_words(text: str, state: BuildState) -> str:
    """Without the stage's name in front: the row has it already."""
    return text.removeprefix(f"{state.label}: ")


def _group_row(
    states: list[BuildState], groups: Mapping[str, str], now_s: float, glyphs: Glyphs, *, live: bool
) -> Row:
    kinds = Counter(groups.get(state.drv_path, _OTHERS) for state in states)
    done = Counter(groups.get(s.drv_path, _OTHERS) for s in states if s.status is BuildStatus.DONE)
    only = next(iter(kinds)) if len(kinds) == 1 else None
    counts = [
        Part(f"{done[kind]}/{total}" + ("" if kind == only else f" {kind}"), rank=index)
        for index, (kind, total) in enumerate(kinds.items())
    ]
    running = [state for state in states if state.status is BuildStatus.RUNNING]
    started = [state.started_s for state in states if state.started_s is not None]
    finished = [state.finished_s for state in states if state.finished_s is not None]
    status = _joint_status([state.status for state in states])
    parts = list(counts)
    if live and running:
        parts.append(Part(_listed([state.name for state in running[:3]], glyphs), "dim", rank=90))
    if started:
        end = now_s if running or not finished else max(finished)
        parts.append(Part(duration(max(0.0, end - min(started))), "dim", rank=80))
    return Row(glyphs.marks[status], _STYLES[status], only or "dependencies", tuple(parts))


def _joint_status(statuses: list[BuildStatus]) -> BuildStatus:
    for status in (BuildStatus.FAILED, BuildStatus.RUNNING, BuildStatus.STOPPED, BuildStatus.BLOCKED):
        if status in statuses:
            return status
    if BuildStatus.DONE in statuses and BuildStatus.PLANNED in statuses:
        return BuildStatus.RUNNING  # between two of them
    return BuildStatus.DONE if BuildStatus.DONE in statuses else BuildStatus.PLANNED


def _download_rows(tree: BuildTree, glyphs: Glyphs) -> list[Row]:
    totals = tree.download_totals()
    if not totals.running:
        return []
    amount = f"{size(totals.done_bytes)}/{size(totals.expected_bytes)}" if totals.expected_bytes else ""
    count = f"{totals.finished} of {totals.finished + totals.running} paths"
    return [
        Row(
            glyphs.download,
            "blue",
            "download",
            (Part(amount or count), Part(count if amount else "", rank=3)),
        )
    ]


_STYLES = {
    BuildStatus.PLANNED: "dim",
    BuildStatus.RUNNING: "bold blue",
    BuildStatus.DONE: "green",
    BuildStatus.FAILED: "bold red",
    BuildStatus.BLOCKED: "yellow",
    BuildStatus.STOPPED: "yellow",
}


def _listed(names: list[str], glyphs: Glyphs, most: int = 6) -> str:
    more = f" +{len(names) - most}" if len(names) > most else ""
    return glyphs.separator.join(names[:most]) + more


def sparkline(values: Iterable[float], bars: str, width: int = 12) -> str:
    """The last `width` values as bars between their lowest and highest; a blank where not finite."""
    shown = list(values)[-width:]
    finite = [value for value in shown if math.isfinite(value)]
    if not finite:
        return " " * len(shown)
    # halves, so that the spread of any two floats is finite
    low = min(finite) / 2
    spread = max(finite) / 2 - low
    top = len(bars) - 1

    def bar(value: float) -> str:
        if not math.isfinite(value):
            return " "
        return bars[round((value / 2 - low) / spread * top)] if spread else bars[0]

    return "".join(map(bar, shown))


def number(value: float) -> str:
    """Four significant digits, never in more than nine characters."""
    if value and math.isfinite(value) and not 1e-4 <= abs(value) < 1e6:
        return f"{value:.2e}"
    return f"{value:.4g}" if abs(value) >= 1 else f"{value:.4f}"


def duration(seconds: float) -> str:
    """`3.2s`, `47s`, `3m12s`, `2h05m`."""
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"


def size(count_bytes: float) -> str:
    """Decimal units, three digits: `812 B`, `14.6 MB`, `2.90 GB`."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count_bytes >= factor:
            value = count_bytes / factor
            return (
                f"{value:.2f} {unit}"
                if value < 10
                else f"{value:.1f} {unit}"
                if value < 100
                else f"{value:.0f} {unit}"
            )
    return f"{count_bytes:.0f} B"


def shorten(text: str, width: int, ellipsis: str) -> str:
    if len(text) <= width:
        return text
    return text[: width - len(ellipsis)] + ellipsis if width > len(ellipsis) else text[:width]
