"""What finds and pins the sources of a lock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from reprobuild.core.deb_package import DebianBase, DebPin
    from reprobuild.core.wheel_pin import ResolvedWheel
    from reprobuild.domain.digest import Digest
    from reprobuild.domain.lock import DebianBasePin, Source


class BaseResolver(Protocol):
    """Which packages, exactly, make a base."""

    def resolve(
        self, suite: str, *, snapshot: str | None = None, extra_packages: Iterable[str] = ()
    ) -> DebianBase:
        """
        Raises:
            ResolveError, SignatureError, ContentMismatchError, NetworkError, SpecError.
        """
        ...


class WheelResolver(Protocol):
    """Which wheels, exactly, a base gets for these requirements."""

    def resolve(
        self,
        requirements: Sequence[str],
        files: Sequence[Path],
        *,
        python_version: str,
        glibc_version: str,
        system: str,
        keep: Sequence[Source] = (),
        update: frozenset[str] = frozenset(),
        constraints: Sequence[str] = (),
    ) -> tuple[ResolvedWheel, ...]:
        """One wheel per package, sorted by name.

        Args:
            files: requirements.txt or pyproject.toml.
            keep: pins that stay where the requirements still allow them.
            update: names whose pins may move.
            constraints: requirements that hold for what is chosen anyhow, and choose nothing.
        Raises:
            ResolveError, UnsupportedWheelError, NetworkError, ToolMissingError.
        """
        ...


class WheelLocator(Protocol):
    """Where pinned wheels can be had, asked of the ordinary client's configuration."""

    def locate(
        self, wheels: Sequence[Source], *, offline: bool = False, fresh: bool = False
    ) -> Mapping[str, Sequence[str]]:
        """File name → addresses (`file://` or `https://`), best first; absent when nobody has it.

        Args:
            offline: ask nobody on the network.
            fresh: ask the indexes even where an address is known already.
        Raises:
            NetworkError: an index had to be asked and did not answer.
        """
        ...


class FileHasher(Protocol):
    def digest(self, file: Path) -> Digest:
        """SHA-256 of a file; may remember it for a file that has not changed."""
        ...


class SeedMaker(Protocol):
    def pin(self, deb: DebPin, base: DebianBasePin, system: str, mirrors: Sequence[str]) -> Source:
        """Take the seed out of its verified package and pin it by its NAR hash."""
        ...
