"""Name builders, list them, and forget them again, in Nix's machines files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from reprobuild.core.builder_entry import BuilderWish, Measured, builder_entry, builder_uri, to_do_there
from reprobuild.core.machine_names import named_machine
from reprobuild.core.machines_file import Entry, machine_line, with_machine, without_machine
from reprobuild.domain.machine import Machine
from reprobuild.errors import ReprobuildError, UsageError
from reprobuild.ports import BuilderAccess, MachinesFiles


@dataclass(frozen=True)
class Added:
    """
    Args:
        line: of the machines file.
        before: the machine as the file had it until now.
        notes: what could not be measured, and what is still to be done on the builder.
    """

    machine: Machine
    line: str
    file: Path
    before: Machine | None
    notes: tuple[str, ...]


class BuilderListService:
    """
    Args:
        this_system: system of a machine of which nothing is known.
    """

    def __init__(self, files: MachinesFiles, access: BuilderAccess, this_system: Callable[[], str]) -> None:
        self._files = files
        self._access = access
        self._this_system = this_system

    def add(
        self, wish: BuilderWish, file: Path | None = None, *, probe: bool | None = None, write: bool = True
    ) -> Added:
        """Write a builder's line, or correct the one that has its address.

        Args:
            file: by default the user's own.
            probe: ask the builder what it has; None: if it can be reached.
        Raises:
            UsageError, MachinesFileError: the address cannot stand in a machines file.
            BuilderError: with `probe`, it cannot be reached.
        """
        target = file or self._files.user_file()
        uri = builder_uri(wish.address)
        before = next(
            (one.machine for one in self._files.known_machines(target) if one.machine.uri == uri), None
        )
        asked = builder_entry(wish, Measured(), before, self._this_system())
        machine_line(asked)  # what cannot be written is refused before anybody is asked
        measured, notes = Measured(), []
        if probe is not False:
            try:
                measured = self._measure(asked)
            except ReprobuildError as problem:
                if probe:
                    raise
                notes.append(
                    f"not asked what it has: {problem.message}"
                    + (f"; {problem.hint}" if problem.hint else "")
                )
        machine = builder_entry(wish, measured, before, self._this_system())
        text = self._files.read_text(target)
        line = machine_line(machine)
        if write and (changed := with_machine(text, machine)) != text:
            self._files.write_text(target, changed)
        return Added(machine, line, target, before, (*notes, *to_do_there(machine, measured)))

    def known(self, file: Path | None = None) -> tuple[Entry, ...]:
        """Builders of one file, or of the user's and Nix's own.

        Raises:
            MachinesFileError: a line that Nix would refuse too.
        """
        return tuple(self._files.known_machines(file))

    def named(self, name: str, file: Path | None = None) -> Entry:
        """The builder that a name or an address means.

        Raises:
            UsageError: there is none, or more than one.
        """
        entries = self.known(file)
        machine = named_machine(name, [one.machine for one in entries])
        if machine is None:
            raise UsageError(
                f"builder {name}: no machines file has this address",
                hint=f"name it with `reprobuild builder add {name}`",
            )
        return next(one for one in entries if one.machine is machine)

    def remove(self, name: str, file: Path | None = None) -> tuple[Machine, Path]:
        """Take a builder's lines out of a machines file; returns it, and the file.

        Args:
            file: by default the user's own.
        Raises:
            UsageError: there is no such builder, or it stands in another file.
        """
        target = file or self._files.user_file()
        entry = self.named(name, file)
        text = self._files.read_text(target)
        left = without_machine(text, entry.machine.uri)
        if left == text:
            raise UsageError(
                f"builder {name} stands in {entry.origin}, not in {target}",
                expected=f"a builder of {target}",
                actual=name,
                actual_from=entry.origin,
                hint=f"`reprobuild builder remove {name} --machines {entry.origin}`, as a user who may write it",
            )
        self._files.write_text(target, left)
        return entry.machine, target

    def _measure(self, machine: Machine) -> Measured:
        facts = self._access.facts(machine)
        return Measured(facts, self._access.profile(machine) if facts.has_python else None)
