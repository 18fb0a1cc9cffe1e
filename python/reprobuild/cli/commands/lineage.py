"""`reprobuild lineage`: what was it made of, and what did it flow into?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from reprobuild.cli import render
from reprobuild.cli.options import JsonOption
from reprobuild.errors import EXIT_NO, UsageError

if TYPE_CHECKING:
    from reprobuild.services.lineage import LineageService


def lineage(
    subject: Annotated[
        str | None,
        typer.Argument(
            metavar="X",
            help="A file, result, build record or store path; a digest, commit or artifact id; or the name of a "
            "wheel, package, dataset or stage. Without it, everything that builds here made, with digest and time.",
            show_default=False,
        ),
    ] = None,
    up: Annotated[bool, typer.Option("--up", help="Only what it was made of.")] = False,
    down: Annotated[bool, typer.Option("--down", help="Only what it flowed into.")] = False,
    withdrawn: Annotated[
        bool,
        typer.Option(
            "--withdrawn", help="Which results are hit if it is withdrawn. Exit 1 if any is, or may be."
        ),
    ] = False,
    openlineage: Annotated[
        bool,
        typer.Option("--openlineage", help="Print how it was built as OpenLineage events, one a line."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Print what something was made of, and what it flowed into.

    Over all builds that this machine has a record of. Exit 1 if none of them knows it.

    Example: reprobuild lineage data/rows.csv --withdrawn
    """
    from reprobuild.cli import wiring
    from reprobuild.cli.lineage_text import lineage_text, withdrawn_text

    chosen = [
        option
        for option, on in {
            "--up": up,
            "--down": down,
            "--withdrawn": withdrawn,
            "--openlineage": openlineage,
        }.items()
        if on
    ]
    if len(chosen) > 1:
        raise UsageError(f"{' and '.join(chosen)}: one at a time", hint=f"leave out {chosen[1]}")
    service = wiring.session().lineage_service()
    if subject is None:
        if chosen:
            raise UsageError(
                f"{chosen[0]}: of what?", hint=f"such as `reprobuild lineage result {chosen[0]}`"
            )
        _print_index(service, as_json)
        return
    if openlineage:
        events = service.openlineage(subject)
        if as_json:
            render.document({"schema": "reprobuild.openlineage/1", "events": events})
        for event in () if as_json else events:
            render.result_line(json.dumps(event, ensure_ascii=False))
        return
    found = service.of(subject, up=not (down or withdrawn), down=not up)
    if as_json:
        render.document(found.model_dump(mode="json", by_alias=True))
    else:
        text, notes = withdrawn_text(found) if withdrawn else lineage_text(found)
        for line in text:
            render.result_line(line)
        for line in notes:
            render.note(line)
    hit = bool(found.flowed_into or found.not_known)
    if hit if withdrawn else not found.found:
        raise typer.Exit(EXIT_NO)


def _print_index(service: LineageService, as_json: bool) -> None:
    from reprobuild.cli.lineage_text import index_lines, not_known_lines

    known, not_known = service.index()
    if as_json:
        render.document(
            {
                "schema": "reprobuild.lineage-index/1",
                "known": [one.model_dump(mode="json", exclude_none=True) for one in known],
                "not_known": [one.model_dump(mode="json") for one in not_known],
            }
        )
        return
    for line in index_lines(known):
        render.result_line(line)
    for line in not_known_lines(not_known):
        render.note(line)


def register(app: typer.Typer, nix_app: typer.Typer) -> None:
    app.command("lineage")(lineage)
