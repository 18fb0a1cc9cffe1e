"""`reprobuild builder probe`: what this machine has, and what it offers to Nix."""

from __future__ import annotations

from typing import Annotated

import typer

from reprobuild.cli import render, wiring
from reprobuild.cli.options import JsonOption
from reprobuild.errors import UsageError


def probe(
    nix_conf: Annotated[
        bool, typer.Option("--nix-conf", help="Print only the line for nix.conf of this machine.")
    ] = False,
    machines_line: Annotated[
        bool,
        typer.Option(
            "--machines-line", help="Print only the line for the machines file of those who use it."
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure this machine and print the system features that it offers.

    GPUs, driver, processor and memory, with ready lines for nix.conf and for the machines file. Needs no root, no Nix
    and no network.

    Example: reprobuild builder probe --nix-conf
    """
    asked = [
        name
        for name, on in {"--json": as_json, "--nix-conf": nix_conf, "--machines-line": machines_line}.items()
        if on
    ]
    if len(asked) > 1:
        raise UsageError(f"{' and '.join(asked)}: one answer at a time", hint=f"leave out {asked[1]}")
    from reprobuild.cli import probe_text
    from reprobuild.core import builder_lines
    from reprobuild.core.machines_file import machine_line

    profile = wiring.session(quiet=True).hardware_probe()()
    if as_json:
        render.document(profile.model_dump(mode="json", by_alias=True))
        return
    if nix_conf:
        if profile.features:
            render.result_line(builder_lines.nix_conf_line(profile))
    elif machines_line:
        render.result_line(machine_line(builder_lines.offered_machine(profile)))
    else:
        for line in probe_text.profile_lines(profile):
            render.result_line(line)
    if not profile.features:
        render.note(f"note: no usable GPU here: {profile.not_available['features']}")


def register(builder_app: typer.Typer) -> None:
    builder_app.command("probe")(probe)
