"""Nix's machines file: read it as Nix does, and edit it without touching what others wrote.

One machine a line: store address, systems, SSH key, jobs, speed factor, features, mandatory features, host key;
`-` for the default. Lines may be joined by `;`, `#` begins a comment, `@FILE` reads another file.

Source: Nix manual, "Remote builds"; libstore/machines.cc of Nix 2.8 and 2.34.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from reprobuild.domain.machine import Machine
from reprobuild.errors import MachinesFileError

_SEPARATORS = re.compile(r"([\n;])")
_BLANKS = " \t\r"
_NOT_IN_A_FIELD = re.compile(r"[\s;#]")
_STORE_WORD = re.compile(r"(?:auto|daemon|local)(?:\?.*)?|\?.*")  # Nix takes these for stores, not for hosts


@dataclass(frozen=True)
class Entry:
    """A machine, and the file (or setting) that names it."""

    machine: Machine
    origin: str


def parse_machines(
    text: str, origin: str, *, this_system: str, read: Callable[[str], str]
) -> tuple[Entry, ...]:
    """All machines of a file's text, or of the value of Nix's setting `builders`, in their order.

    Args:
        this_system: what a line means that names no system.
        read: the text of an `@FILE`; empty where there is none.
    Raises:
        MachinesFileError: a line that Nix would refuse too.
    """
    return tuple(_entries(text, origin, this_system, read, ()))


def machine_line(machine: Machine) -> str:
    """The line that says this machine.

    Raises:
        MachinesFileError: a field holds what ends a field or a line.
    """
    speed = machine.speed_factor
    fields = [
        machine.uri,
        ",".join(machine.systems),
        machine.ssh_key or "-",
        str(machine.max_jobs),
        str(int(speed)) if speed == int(speed) else str(speed),  # before Nix 2.20 whole numbers only
        ",".join(sorted(machine.supported)) or "-",
        ",".join(sorted(machine.mandatory)) or "-",
        machine.host_key or "-",
    ]
    for field in fields:
        if _NOT_IN_A_FIELD.search(field):
            raise MachinesFileError(
                f"{field!r} cannot stand in a machines file",
                expected="no space, `;` or `#`",
                actual=field,
                hint="give the machine a name without them in ~/.ssh/config",
            )
    while fields[-1] == "-":
        fields.pop()
    return " ".join(fields)


def with_machine(text: str, machine: Machine) -> str:
    """The text with this machine: in the place of the line that has its address, else as a new last line."""
    pieces = _SEPARATORS.split(text)
    for at in range(0, len(pieces), 2):
        if _uri(pieces[at]) == machine.uri:
            before, mark, comment = pieces[at].partition("#")
            indent = before[: len(before) - len(before.lstrip(_BLANKS))]
            space = before[len(before.rstrip(_BLANKS)) :]
            pieces[at] = indent + machine_line(machine) + space + mark + comment
            return "".join(pieces)
    start = text if not text or text.endswith("\n") else text + "\n"
    return start + machine_line(machine) + "\n"


def without_machine(text: str, uri: str) -> str:
    """The text without the lines that have this address; all else stays, byte for byte."""
    kept = []
    for line in text.split("\n"):
        pieces = line.split(";")
        left = [piece for piece in pieces if _uri(piece) != uri]
        if len(left) == len(pieces) or any(map(_without_comment, left)):
            kept.append(";".join(left))
    return "\n".join(kept)


def _entries(
    text: str,
    origin: str,
    this_system: str,
    read: Callable[[str], str],
    above: tuple[str, ...],
) -> Iterator[Entry]:
    for piece in _SEPARATORS.split(text)[::2]:
        line = _without_comment(piece)
        if line.startswith("@"):
            file = line[1:].strip(_BLANKS)
            if file in above:
                raise MachinesFileError(f"{file} reads itself", actual=line, actual_from=origin)
            yield from _entries(read(file), file, this_system, read, (*above, file))
        elif line:
            yield Entry(_machine(line, origin, this_system), origin)


def _machine(line: str, origin: str, this_system: str) -> Machine:
    fields = [field for field in re.split(f"[{_BLANKS}]+", line) if field]
    values = [None if field == "-" else field for field in fields] + [None] * 8
    uri, systems, ssh_key, jobs, speed, supported, mandatory, host_key = values[:8]
    try:
        if uri is None:
            raise ValueError("it has no address")
        if host_key is not None:
            base64.b64decode(host_key, validate=True)
        return Machine(
            uri=store_address(uri),
            systems=_listed(systems) or (this_system,),
            supported=frozenset(_listed(supported)),
            mandatory=frozenset(_listed(mandatory)),
            ssh_key=ssh_key,
            max_jobs=int(_from_zero(jobs, int)),
            speed_factor=_from_zero(speed, float),
            host_key=host_key,
        )
    except (ValueError, binascii.Error) as problem:
        raise MachinesFileError(
            f"{origin}: a line that Nix cannot read",
            expected="ADDRESS SYSTEMS SSH-KEY JOBS SPEED FEATURES MANDATORY-FEATURES HOST-KEY",
            actual=line,
            actual_from=origin,
            details=(str(problem),),
            hint="mend the line: `-` stands for a default",
        ) from None


def store_address(text: str) -> str:
    """A store's address as Nix understands it: a bare host name is reached by ssh."""
    return text if "/" in text or _STORE_WORD.fullmatch(text) else f"ssh://{text}"


def _from_zero(text: str | None, kind: Callable[[str], float]) -> float:
    number = kind(text or "1")
    if not 0 <= number < float("inf"):
        raise ValueError(f"{text} is not a number from 0")
    return number


def _listed(field: str | None) -> tuple[str, ...]:
    return tuple(word for word in (field or "").split(",") if word)


def _without_comment(piece: str) -> str:
    return piece.partition("#")[0].strip(_BLANKS)


def _uri(piece: str) -> str | None:
    """The address that a piece of the file names, if it names one."""
    line = _without_comment(piece)
    return None if not line or line.startswith("@") else store_address(re.split(f"[{_BLANKS}]", line)[0])
