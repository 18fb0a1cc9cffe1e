"""`reprobuild verify`: rebuild, and compare the bytes."""

from __future__ import annotations

from typing import Annotated

import typer

from reprobuild.cli import render, wiring
from reprobuild.cli.options import HERE, JsonOption, ProjectOption, QuietOption, SetOption
from reprobuild.errors import EXIT_NO


def verify(
    project: ProjectOption = HERE,
    stage: Annotated[
        list[str] | None, typer.Option("--stage", metavar="NAME", help="Only this stage.")
    ] = None,
    rounds: Annotated[int, typer.Option("--rounds", metavar="N", min=1, help="How often to rebuild.")] = 1,
    set_: SetOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Rebuild in a clean sandbox and compare the bytes.

    Every stage and the artifact; exit 0 if all bytes are equal, 1 if not.

    Example: reprobuild verify --rounds 3
    """
    from reprobuild.services.project import open_project

    opened = open_project(project, set_ or [])
    verdict = (
        wiring.session(quiet=quiet).verify_service().run(opened, stages=tuple(stage or ()), rounds=rounds)
    )
    if as_json:
        render.document({**verdict.model_dump(mode="json", by_alias=True), "ok": verdict.ok})
    else:
        rows = [[s.label, s.verdict, f"{s.equal} of {s.rounds} rebuilds equal"] for s in verdict.stages]
        for line in render.table(rows):
            render.result_line(line)
        for judged in verdict.stages:
            if judged.differing_path:
                render.note(f"{judged.label}: compare {judged.out_path}\n  with {judged.differing_path}")
        render.result_line(f"verdict: {'same bytes' if verdict.ok else 'not the same'}")
    if not verdict.ok:
        raise typer.Exit(EXIT_NO)


def register(app: typer.Typer, nix_app: typer.Typer) -> None:
    app.command("verify")(verify)
