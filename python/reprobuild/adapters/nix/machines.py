"""The machines that this one can build on: itself, and those of its machines files. Implements ports.MachinesFiles."""

from __future__ import annotations

import os
from pathlib import Path

from reprobuild.adapters.nix.process import configuration
from reprobuild.core.machines_file import Entry, parse_machines
from reprobuild.domain.machine import Machine
from reprobuild.errors import MachinesFileError


def this_machine() -> Machine:
    """This machine as its Nix offers it: system, extra platforms, system features, jobs."""
    found = configuration()
    return Machine(
        uri="",
        systems=(str(found["system"]), *found["extra-platforms"]),
        supported=frozenset(found["system-features"]),
        max_jobs=int(found["max-jobs"]),
    )


def user_file() -> Path:
    """`$XDG_CONFIG_HOME/reprobuild/machines`, by default `~/.config/reprobuild/machines`."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "reprobuild" / "machines"


def known_machines(file: Path | None = None) -> tuple[Entry, ...]:
    """Builders of the user's machines file, then those of Nix's setting; the first of an address counts.

    Args:
        file: a machines file to read in place of both.
    Raises:
        MachinesFileError: a line that Nix would refuse too, or a file that cannot be read.
    """
    found = configuration()
    chosen = file or user_file()
    texts = [(str(chosen), read_text(chosen))]
    if file is None:
        texts.append(("Nix's setting `builders`", str(found["builders"])))
    entries: dict[str, Entry] = {}
    for origin, text in texts:
        for entry in parse_machines(
            text, origin, this_system=str(found["system"]), read=lambda name: read_text(Path(name))
        ):
            entries.setdefault(entry.machine.uri, entry)
    return tuple(entries.values())


def read_text(file: Path) -> str:
    """A machines file's text; empty where there is none, as Nix has it.

    Raises:
        MachinesFileError: it is there and cannot be read.
    """
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as problem:
        raise MachinesFileError(f"{file} cannot be read: {problem}") from problem


def write_text(file: Path, text: str) -> None:
    """Replace a machines file at once, through links, with the rights it had; makes its folder.

    Raises:
        MachinesFileError: it cannot be written.
    """
    target = file.resolve()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o644
        fresh = target.with_name(f".{target.name}.new")
        fresh.write_text(text, encoding="utf-8")
        fresh.chmod(mode)
        fresh.replace(target)
    except OSError as problem:
        raise MachinesFileError(
            f"{file} cannot be written: {problem.strerror}",
            hint="name a file of yours with --machines, or run the command as root",
        ) from problem
