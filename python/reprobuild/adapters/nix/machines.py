"""The machines that this one can build on: itself, and those of its machines files."""

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
    """The machines file of this user: `$XDG_CONFIG_HOME/reprobuild/machines`, by default under `~/.config`."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "reprobuild" / "machines"


def known_machines(file: Path | None = None) -> tuple[Entry, ...]:
    """Builders of the user's machines file, then those of Nix's setting `builders`; the first of an address counts.

    Args:
        file: a machines file to read in place of both.
    Raises:
        MachinesFileError: a line that Nix would refuse too, or a file that cannot be read.
    """
    found = configuration()
    system = str(found["system"])
    files = [file or user_file()]
    texts = [(str(one), read_text(one) or "") for one in files]
    if file is None:
        texts.append(("Nix's setting `builders`", str(found["builders"])))
    entries: dict[str, Entry] = {}
    for origin, text in texts:
        for entry in parse_machines(
            text, origin, this_system=system, read=lambda name: read_text(Path(name))
        ):
            entries.setdefault(entry.machine.uri, entry)
    return tuple(entries.values())


def read_text(file: Path) -> str | None:
    """A machines file's text; None where there is none.

    Raises:
        MachinesFileError: it is there and cannot be read.
    """
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as problem:
        raise MachinesFileError(f"{file} cannot be read: {problem}") from problem
