"""How long work is shown: a live view on a terminal, quiet foldable lines elsewhere.

`choose` is the only thing that the rest of the command line needs. rich is imported by the
terminal view alone, and only when there is a terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import monotonic, time
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TextIO

if TYPE_CHECKING:
    from reprobuild.core.build_tree import BuildTree
    from reprobuild.domain.build_event import Event


class BuildView(Protocol):
    """Shows a build. `now_s` and the clock given to `choose` count the same seconds."""

    def start(self, tree: BuildTree, now_s: float) -> None: ...

    def event(self, event: Event, tree: BuildTree, now_s: float) -> None:
        """After each `tree.apply(event, now_s)`."""
        ...

    def finish(self, tree: BuildTree, now_s: float) -> None:
        """After `tree.finish(…)`, also when the build failed or was interrupted. Safe to call twice."""
        ...


class FetchProgress(Protocol):
    """Shows transfers; a `ports.ByteProgress` that can be closed. All calls may come from any thread."""

    def start(self, total_bytes: int, total_files: int) -> None: ...
    def advance(self, name: str, size_bytes: int) -> None: ...
    def finish(self, name: str) -> None: ...
    def note(self, text: str) -> None: ...
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Renderer(Protocol):
    """Makes a view for one piece of work."""

    def build_view(self, groups: Mapping[str, str] | None = None) -> BuildView:
        """Groups: drv path -> what it is one of ("wheels"), for derivations without a label."""
        ...

    def fetch_progress(self, title: str = "fetch") -> FetchProgress: ...


def choose(
    stream: TextIO,
    env: Mapping[str, str],
    quiet: bool = False,
    *,
    clock: Callable[[], float] = monotonic,
    wall_clock: Callable[[], float] = time,
) -> Renderer:
    """The renderer for a stream (stderr).

    A terminal gets the live view, unless it is dumb or a CI system's. `REPROBUILD_PROGRESS`
    (`live`, `plain` or `none`) overrules what we see.
    """
    from reprobuild.cli.progress.plain import Foldable, PlainRenderer, SilentRenderer

    wish = env.get("REPROBUILD_PROGRESS", "")
    if quiet or wish == "none":
        return SilentRenderer()
    foldable = Foldable.of(env)
    is_live = stream.isatty() and env.get("TERM") != "dumb" and foldable is Foldable.NO and not env.get("CI")
    if wish != "plain" and (is_live or wish == "live"):
        from reprobuild.cli.progress.terminal import TerminalRenderer

        return TerminalRenderer(stream, env, clock=clock)
    return PlainRenderer(stream, foldable, clock=clock, wall_clock=wall_clock)
