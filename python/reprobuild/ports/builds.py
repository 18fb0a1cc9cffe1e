"""What evaluates and builds, in the store here and on other machines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from reprobuild.core.build_tree import BuildTree
    from reprobuild.domain.build_event import Event
    from reprobuild.domain.lock import Source
    from reprobuild.domain.machine import Machine
    from reprobuild.domain.store import Instantiation, PathInfo


class SourceStore(Protocol):
    """The store as the fetcher sees it."""

    def present(self, paths: Sequence[str]) -> set[str]:
        """Which of these store paths are valid."""
        ...

    def substitute(self, paths: Sequence[str], caches: Sequence[str]) -> set[str]:
        """Copy what binary caches have into the store; returns the paths that came."""
        ...

    def add_fixed(self, file: Path, source: Source) -> str:
        """Add a checked file (or folder, mode recursive) under the source's store name.

        Raises:
            ContentMismatchError: the store computed another path than the lock implies.
        """
        ...


class Store(SourceStore, Protocol):
    """The store as builds see it."""

    def add_root(self, link: Path, path: str) -> None:
        """Make `link` lead to a store path and keep that path from the garbage collector; quick if it is so."""
        ...

    def add(self, path: Path) -> str:
        """Copy a file or folder into the store, under its own name; returns its store path."""
        ...

    def info(self, path: str) -> PathInfo:
        """What the store has registered about one path."""
        ...

    def infos(self, paths: Sequence[str]) -> dict[str, PathInfo]:
        """What the store has registered about paths that it has."""
        ...


class Evaluator(Protocol):
    def instantiate(
        self,
        project: Path,
        overrides: Mapping[str, Any],
        stage_order: Sequence[str],
        replaced: Mapping[str, str] = {},
    ) -> Instantiation:
        """Translate a project to derivations; builds nothing.

        Args:
            replaced: store paths to take in place of some stages' outputs.
        """
        ...


class Builder(Protocol):
    def realise(
        self,
        drv_paths: Sequence[str],
        on_event: Callable[[Event], None],
        *,
        jobs: int | None = None,
        keep_going: bool = False,
        check: bool = False,
        caches: Sequence[str] = (),
    ) -> int:
        """Build (or with `check` rebuild and compare) and wait; returns Nix's exit status.

        Args:
            caches: binary caches that outputs may be taken from.
        """
        ...

    def kept_output(self, out_path: str) -> Path | None:
        """Where the output of a rebuild that differs was kept, if it was."""
        ...


class BuildMachine(Protocol):
    """Another machine's store, in which builds can run. All of it raises BuilderError."""

    machine: Machine

    def require_sandbox(self, *, sent_by_nix: bool = False) -> None:
        """
        Args:
            sent_by_nix: Nix here sends builds there, and hands on none of our settings.
        Raises:
            SandboxError: builds there would not be isolated.
        """
        ...

    def present(self, paths: Sequence[str]) -> set[str]: ...
    def infos(self, paths: Sequence[str]) -> dict[str, PathInfo]: ...
    def substitute(self, paths: Sequence[str]) -> set[str]:
        """Let it take what its own binary caches have; returns which of the paths it has then."""
        ...

    def send(
        self, paths: Sequence[str], on_event: Callable[[Event], None], *, derivations: bool = False
    ) -> None:
        """Copy store paths from here (or the `.drv` files themselves), with what they need."""
        ...

    def bring(self, paths: Sequence[str], on_event: Callable[[Event], None]) -> None: ...
    def realise(
        self,
        drv_paths: Sequence[str],
        on_event: Callable[[Event], None],
        *,
        jobs: int | None = None,
        keep_going: bool = False,
        check: bool = False,
    ) -> int:
        """As `Builder.realise`, in its store."""
        ...

    def unpack(self, path: str, target: Path) -> None:
        """Write the files of one path there into a new folder here."""
        ...

    def has_file(self, path: str) -> bool: ...
    def keep(self, name: str, path: str) -> None:
        """Keep a path there from its garbage collector."""
        ...


class BuildView(Protocol):
    """What shows a running build to people."""

    def start(self, tree: BuildTree, now_s: float) -> None: ...
    def event(self, event: Event, tree: BuildTree, now_s: float) -> None: ...
    def finish(self, tree: BuildTree, now_s: float) -> None: ...
