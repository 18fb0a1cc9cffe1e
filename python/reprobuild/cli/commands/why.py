"""`reprobuild why`: by which path does something get into the model?"""

from __future__ import annotations

from typing import Annotated

import typer

from reprobuild.cli import render
from reprobuild.cli.options import HERE, JsonOption, ProjectOption
from reprobuild.errors import EXIT_NO


def why(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A wheel, package, dataset or stage.")],
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Print by which paths something gets into the model.

    From the lock alone: nothing has to be built. Exit 1 if it is no part of the model.

    Example: reprobuild why mpmath
    """
    from reprobuild.services.why import paths_to

    paths = paths_to(project, name)
    if as_json:
        render.document({"schema": "reprobuild.why/1", "name": name, "paths": paths})
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
