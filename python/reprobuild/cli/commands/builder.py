"""`reprobuild builder add`, `list` and `remove`: the machines that builds may go to."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reprobuild.cli import render, wiring
from reprobuild.cli.options import BuilderArgument, JsonOption, MachinesOption
from reprobuild.errors import UsageError

if TYPE_CHECKING:
    from reprobuild.domain.machine import Machine


def add(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Such as ssh-ng://USER@HOST, or a host.")],
    feature: Annotated[
        list[str] | None,
        typer.Option(
            "--feature", metavar="NAME", help="System feature that it offers, besides measured ones."
        ),
    ] = None,
    mandatory: Annotated[
        list[str] | None,
        typer.Option(
            "--mandatory",
            metavar="NAME",
            help="Feature that a build must ask for to go there.",
            show_default="cuda, where it has a GPU",
        ),
    ] = None,
    system: Annotated[
        list[str] | None,
        typer.Option(
            "--system", metavar="NAME", help="System that it builds.", show_default="what its Nix says"
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            "-j",
            metavar="N",
            min=1,
            help="Builds at the same time.",
            show_default="1 where it has a GPU, else what its Nix says",
        ),
    ] = None,
    speed: Annotated[
        int | None,
        typer.Option(
            "--speed", metavar="N", min=1, help="The quicker of two is asked first.", show_default="1"
        ),
    ] = None,
    ssh_key: Annotated[
        Path | None, typer.Option("--ssh-key", metavar="FILE", help="Private key to log in with.")
    ] = None,
    host_key: Annotated[
        Path | None,
        typer.Option(
            "--host-key",
            metavar="FILE",
            help="Its public host key.",
            show_default="what ~/.ssh/known_hosts says",
        ),
    ] = None,
    probe: Annotated[
        bool | None,
        typer.Option(
            "--probe/--no-probe",
            help="Log in and measure its features.",
            show_default="if it can be reached",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the line, write nothing.")] = False,
    machines: MachinesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Name a builder, or measure a known one again.

    Asks it over ssh what it has, and writes its line into a machines file in Nix's own format.

    Example: reprobuild builder add ssh-ng://root@gpu1 --ssh-key ~/.ssh/id_builder
    """
    from reprobuild.core.builder_entry import BuilderWish

    wish = BuilderWish(
        address=address,
        features=_words(feature),
        mandatory=_words(mandatory),
        systems=_words(system),
        jobs=jobs,
        speed=speed,
        ssh_key=str(ssh_key.expanduser().resolve()) if ssh_key else None,
        host_key=_encoded(host_key) if host_key else None,
    )
    added = wiring.session(quiet=True).builder_list().add(wish, machines, probe=probe, write=not dry_run)
    if as_json:
        render.document(
            {
                "schema": "reprobuild.builder-add/1",
                **_described(added.machine),
                "line": added.line,
                "file": str(added.file),
                "written": not dry_run,
                "before": _described(added.before) if added.before else None,
                "notes": list(added.notes),
            }
        )
        return
    render.result_line(added.line)
    for note in added.notes:
        render.note(f"{added.machine.name}: {note}")
    done = "corrected in" if added.before else "added to"
    render.note("nothing was written" if dry_run else f"{added.machine.name}: {done} {added.file}")
    if not dry_run:
        render.note(f"next: reprobuild builder check {added.machine.name}")


def list_(machines: MachinesOption = None, as_json: JsonOption = False) -> None:
    """List the known builders.

    Those of your machines file, then those of Nix's setting `builders` (/etc/nix/machines).

    Example: reprobuild builder list
    """
    entries = wiring.session(quiet=True).builder_list().known(machines)
    if as_json:
        render.document(
            {
                "schema": "reprobuild.builders/1",
                "builders": [{**_described(one.machine), "file": one.origin} for one in entries],
            }
        )
        return
    from reprobuild.core.offers import in_short

    rows = [
        [
            one.machine.name,
            one.machine.uri,
            f"{one.machine.max_jobs}",
            f"{one.machine.speed_factor:g}",
            in_short(one.machine.mandatory) or "-",
            in_short(one.machine.supported) or "-",
            one.origin,
        ]
        for one in entries
    ]
    if not rows:
        render.note("no builder is known: `reprobuild builder add ADDRESS` names one")
        return
    for line in render.table(
        [["builder", "address", "jobs", "speed", "mandatory", "features", "file"], *rows]
    ):
        render.result_line(line)


def remove(name: BuilderArgument, machines: MachinesOption = None, as_json: JsonOption = False) -> None:
    """Forget a builder.

    Takes its line out of your machines file; all else in it stays as it is.

    Example: reprobuild builder remove gpu1
    """
    machine, file = wiring.session(quiet=True).builder_list().remove(name, machines)
    if as_json:
        render.document({"schema": "reprobuild.builder-remove/1", **_described(machine), "file": str(file)})
    else:
        render.result_line(machine.uri)
        render.note(f"{machine.name}: taken out of {file}")


def _described(machine: Machine) -> dict[str, Any]:
    return {
        "builder": machine.name,
        "address": machine.uri,
        "systems": list(machine.systems),
        "jobs": machine.max_jobs,
        "speed": machine.speed_factor,
        "features": sorted(machine.supported),
        "mandatory": sorted(machine.mandatory),
        "ssh_key": machine.ssh_key,
        "host_key": machine.host_key,
    }


def _words(given: list[str] | None) -> tuple[str, ...]:
    """Each option may hold several, separated as in the machines file."""
    return tuple(word for text in given or () for word in text.split(",") if word)


def _encoded(file: Path) -> str:
    """A public host key as a machines file holds it: base64 of its type and key."""
    try:
        words = file.read_text(encoding="ascii").split()
        base64.b64decode(words[1], validate=True)
    except (OSError, UnicodeDecodeError, IndexError, binascii.Error) as problem:
        raise UsageError(
            f"--host-key {file}: not a public host key",
            expected="a file such as /etc/ssh/ssh_host_ed25519_key.pub of the builder",
            actual=str(problem),
        ) from None
    return base64.b64encode(" ".join(words[:2]).encode()).decode()


def register(builder_app: typer.Typer) -> None:
    builder_app.command("add")(add)
    builder_app.command("list")(list_)
    builder_app.command("remove")(remove)
