"""`reprobuild init`: start a project from a template."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reprobuild.cli import render, wiring
from reprobuild.cli.options import JsonOption


def init(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Where to put the project; made if it is not there.")
    ] = Path(),
    template: Annotated[
        str,
        typer.Option("--template", "-t", metavar="NAME", help="quickstart, pytorch-cuda or scikit-learn."),
    ] = "quickstart",
    as_json: JsonOption = False,
) -> None:
    """Make a small, complete project that builds as it is.

    Example: reprobuild init digits && cd digits && reprobuild lock && reprobuild nix build
    """
    from reprobuild.services.init import start_project

    written = start_project(wiring.templates(), template, folder)
    if as_json:
        render.document({"schema": "reprobuild.init/1", "folder": str(folder.resolve()), "files": written})
        return
    for file in written:
        render.result_line(str(folder / file))
    where = f"cd {folder} && " if folder != Path() else ""
    render.note(f"next: {where}reprobuild lock && reprobuild nix build")


def register(app: typer.Typer, nix_app: typer.Typer) -> None:
    app.command("init")(init)
