"""The live view on a terminal, drawn by rich a few times a second from the build tree."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from reprobuild.cli.progress.layout import ASCII, UNICODE, Glyphs, Part, Row, duration, rows, size
from reprobuild.core.build_state import BuildStatus
from reprobuild.core.build_tree import BuildTree
from reprobuild.domain.build_event import Event, Level, Message, plain_text

_FRAMES_PER_S = 8
_LABEL_WIDTH = 24  # at most; narrower terminals give it a third of their width


class TerminalRenderer:
    def __init__(self, stream: TextIO, env: Mapping[str, str], *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._glyphs = glyphs_for(stream)
        self.console = Console(
            file=stream,
            force_terminal=True,
            no_color=bool(env.get("NO_COLOR")),
            highlight=False,
            markup=False,
            emoji=False,
            soft_wrap=False,
            _environ=env,
        )

    def build_view(self, groups: Mapping[str, str] | None = None) -> TerminalBuild:
        return TerminalBuild(self.console, groups or {}, self._glyphs, self._clock)

    def fetch_progress(self, title: str = "fetch") -> TerminalFetch:
        return TerminalFetch(self.console, title, self._glyphs, self._clock)


def glyphs_for(stream: TextIO) -> Glyphs:
    encoding = (getattr(stream, "encoding", None) or "").lower().replace("-", "").replace("_", "")
    return UNICODE if encoding.startswith("utf") else ASCII


def picture(table: list[Row], width: int, glyphs: Glyphs) -> Group:
    """Rows as lines of `width` columns, labels in one column."""
    widest = max((len(row.label) for row in table), default=0)
    label_width = min(widest, _LABEL_WIDTH, max(8, width // 3))
    return Group(*(_line(row, width, label_width, glyphs) for row in table))


def _line(row: Row, width: int, label_width: int, glyphs: Glyphs) -> Text:
    label, parts = row.fitted(width, label_width, glyphs.ellipsis)
    line = Text(no_wrap=True, overflow="crop")
    line.append(f"{row.mark} ", style=row.style)
    line.append(label, style="bold" if "bold" in row.style else "")
    for part in parts:
        if part.text:
            line.append("  ").append(part.text, style=part.style)
    return line


class TerminalBuild:
    def __init__(
        self, console: Console, groups: Mapping[str, str], glyphs: Glyphs, clock: Callable[[], float]
    ) -> None:
        self._console, self._groups, self._glyphs, self._clock = console, groups, glyphs, clock
        self._live: Live | None = None
        self._ended_s: float | None = None

    def start(self, tree: BuildTree, now_s: float) -> None:
        self._live = Live(
            get_renderable=lambda: self._draw(tree),
            console=self._console,
            refresh_per_second=_FRAMES_PER_S,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="ellipsis",
        )
        self._live.start()

    def event(self, event: Event, tree: BuildTree, now_s: float) -> None:
        if isinstance(event, Message) and event.level == Level.WARN:
            self._console.print(Text(event.text, style="yellow"))

    def finish(self, tree: BuildTree, now_s: float) -> None:
        if (live := self._live) is None:
            return
        self._live, self._ended_s = None, now_s
        live.stop()  # draws once more: the summary that stays

    def _draw(self, tree: BuildTree) -> Group:
        live = self._ended_s is None
        now_s = self._clock() if self._ended_s is None else self._ended_s
        table = rows(tree, self._groups, now_s, self._glyphs, live=live)
        return picture(table, self._console.width, self._glyphs)


class TerminalFetch:
    """One line for the sum and one for each of the files that come just now."""

    def __init__(self, console: Console, title: str, glyphs: Glyphs, clock: Callable[[], float]) -> None:
        self._console, self._title, self._glyphs, self._clock = console, title, glyphs, clock
        self._lock = threading.Lock()
        self._under_way: dict[str, int] = {}
        self._total_bytes = self._total_files = self._done_bytes = self._done_files = 0
        self._started_s = clock()
        self._live: Live | None = None
        self._closed = False

    def start(self, total_bytes: int, total_files: int) -> None:
        self._total_bytes, self._total_files = total_bytes, total_files
        self._started_s = self._clock()
        if not total_files or self._live is not None:
            return
        self._live = Live(
            get_renderable=self._draw,
            console=self._console,
            refresh_per_second=_FRAMES_PER_S,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()

    def advance(self, name: str, size_bytes: int) -> None:
        with self._lock:
            self._done_bytes += size_bytes
            self._under_way[name] = self._under_way.get(name, 0) + size_bytes

    def finish(self, name: str) -> None:
        with self._lock:
            self._under_way.pop(name, None)
            self._done_files += 1

    def note(self, text: str) -> None:
        self._console.print(Text(plain_text(text)))

    def close(self) -> None:
        if (live := self._live) is None:
            return
        self._live, self._closed = None, True
        live.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _draw(self) -> Group:
        live = not self._closed
        with self._lock:
            under_way = list(self._under_way.items())
            done_bytes, done_files = self._done_bytes, self._done_files
        elapsed_s = max(self._clock() - self._started_s, 1e-3)
        done = done_files >= self._total_files
        status = BuildStatus.DONE if done else BuildStatus.RUNNING if live else BuildStatus.STOPPED
        parts = (
            Part(f"{size(done_bytes)}/{size(self._total_bytes)}"),
            Part(f"{done_files}/{self._total_files} files", rank=1),
            Part(f"{size(done_bytes / elapsed_s)}/s", "dim", rank=3),
            Part(duration(elapsed_s), "dim", rank=2),
        )
        style = "green" if done else "bold blue" if live else "yellow"
        table = [Row(self._glyphs.marks[status], style, self._title, parts)]
        if live:
            table += [
                Row(self._glyphs.download, "dim", name, (Part(size(got), "dim"),))
                for name, got in under_way[:6]
            ]
        return picture(table, self._console.width, self._glyphs)
