"""`reprobuild why`: by which path does something get into the model?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reprobuild.cli import render
from reprobuild.cli.options import HERE, JsonOption, ProjectOption, locked_names
from reprobuild.errors import EXIT_NO, UsageError


def why(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A wheel, package, dataset, stage, file, store path or digest.",
            autocompletion=locked_names,
        ),
    ],
    project: ProjectOption = HERE,
    result: Annotated[
        Path | None,
        typer.Option(
            "--result",
            metavar="RESULT",
            help="Ask a result or a build record instead: result link, store path or file.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Print by which paths something gets into the model.

    From the lock alone: nothing has to be built. Exit 1 if it is no part of the model.

    Example: reprobuild why mpmath
    """
    from reprobuild.cli import wiring

    if result is not None and project != HERE:
        raise UsageError("--project and --result: one at a time", hint="leave out --project")
    parts, paths = wiring.session().composed().paths_to(result or project, name)
    if as_json:
        found = [part.model_dump(mode="json", exclude_none=True) for part in parts]
        render.document({"schema": "reprobuild.why/1", "name": name, "parts": found, "paths": paths})
    else:
        for path in paths:
            for depth, node in enumerate(path):
                render.result_line("  " * depth + node)
        if not paths:
            render.note(f"{name} is no part of this model")
    if not paths:
        raise typer.Exit(EXIT_NO)


def register(app: typer.Typer, nix_app: typer.Typer) -> None:
    app.command("why")(why)
