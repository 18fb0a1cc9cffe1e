"""This machine and builders, as they are asked about themselves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from reprobuild.core.machines_file import Entry
    from reprobuild.domain.builder_facts import BuilderFacts
    from reprobuild.domain.hardware import HardwareProfile
    from reprobuild.domain.machine import Machine


class HostFacts(Protocol):
    """The machine that asks for a build."""

    def document(self) -> dict[str, Any]:
        """Host name, kernel, CPU model and flags, cores, memory, Nix version."""
        ...


class BuilderAccess(Protocol):
    """A builder as it is asked before anything is built there."""

    def facts(self, machine: Machine) -> BuilderFacts:
        """How its Nix is set up.

        Raises:
            BuilderError: it cannot be reached, or does not let us in.
        """
        ...

    def profile(self, machine: Machine) -> HardwareProfile:
        """Its hardware, measured there.

        Raises:
            BuilderError, ToolFailedError: as `facts`; the probe failed there.
        """
        ...

    def upload_rate(self, machine: Machine) -> float:
        """How many bytes a second reach it, tried with a few MiB.

        Raises:
            BuilderError: as `facts`.
        """
        ...

    def sandbox_problem(self, machine: Machine) -> str | None:
        """None if a build there is isolated, else what is wrong: it is tried.

        Raises:
            BuilderError: as `facts`.
        """
        ...


class MachinesFiles(Protocol):
    """The lists of builders on this machine."""

    def user_file(self) -> Path:
        """The one that belongs to this user alone."""
        ...

    def known_machines(self, file: Path | None = None) -> Sequence[Entry]:
        """Builders of the user's machines file, then those of Nix's setting `builders`; or of `file` alone.

        Raises:
            MachinesFileError: a line that Nix would refuse too, or a file that cannot be read.
        """
        ...

    def read_text(self, file: Path) -> str:
        """A machines file's text; empty where there is none."""
        ...

    def write_text(self, file: Path, text: str) -> None:
        """Replace a machines file at once, making its folder.

        Raises:
            MachinesFileError: it cannot be written.
        """
        ...
