"""`reprobuild builder check`: is a builder what its line claims?"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

import typer

from reprobuild.cli import render, wiring
from reprobuild.cli.options import JsonOption, MachinesOption, builder_names
from reprobuild.errors import EXIT_NO


def check(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]",
            help="A builder, by name or address; all of them if none is named.",
            autocompletion=builder_names,
        ),
    ] = None,
    minimum_mbit: Annotated[
        float | None,
        typer.Option(
            "--minimum-mbit",
            metavar="N",
            min=0,
            help="Measure the way there as well; it must carry N Mbit/s (10^6 bits a second).",
        ),
    ] = None,
    machines: MachinesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Connect to builders and compare what they claim with what they have.

    Nix, store, features, GPU hook, sandbox, trust, disk and clock. Exit 1 where something would fail.

    Example: reprobuild builder check gpu1
    """
    session = wiring.session(quiet=True)
    builders = session.builder_list()
    found = [builders.named(name, machines)] if name else list(builders.known(machines))
    if not found and not as_json:
        render.note("no builder is known: `reprobuild builder add ADDRESS` names one")
    with ThreadPoolExecutor(max_workers=8) as pool:
        check_one = session.builder_check().run
        results = list(pool.map(lambda one: check_one(one.machine, minimum_mbit), found))
    states = ["failed" if any(f.state == "failed" for f in findings) else "ok" for findings in results]
    if as_json:
        render.document(
            {
                "schema": "reprobuild.builder-check/1",
                "ok": "failed" not in states,
                "builders": [
                    {
                        "builder": one.machine.name,
                        "address": one.machine.uri,
                        "ok": state == "ok",
                        "findings": [finding.__dict__ for finding in findings],
                    }
                    for one, state, findings in zip(found, states, results, strict=True)
                ],
            }
        )
    else:
        for one, findings in zip(found, results, strict=True):
            render.result_line(f"{one.machine.name}  {one.machine.uri}")
            for line in render.table([[f.state, f.name, f.found] for f in findings], indent="  "):
                render.result_line(line)
            for finding in findings:
                if finding.mend and finding.state != "ok":
                    render.note(f"{one.machine.name}: {finding.name}: {finding.mend}")
    if "failed" in states:
        raise typer.Exit(EXIT_NO)


def register(builder_app: typer.Typer) -> None:
    builder_app.command("check")(check)
