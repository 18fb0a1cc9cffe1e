"""`reprobuild nix diff`: what differs between two models, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reprobuild.cli import render, wiring
from reprobuild.cli.options import HERE, JsonOption, ProjectOption
from reprobuild.errors import EXIT_NO, UsageError

_SIDE = "A project, git revision, lock, result, record, statement or store path."


def diff(
    first: Annotated[str, typer.Argument(metavar="A", help=_SIDE)],
    second: Annotated[str, typer.Argument(metavar="B", help="The same; what changed from A to B is told.")],
    project: ProjectOption = HERE,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write the answer as one HTML page too.")
    ] = None,
    trust: Annotated[
        Path | None,
        typer.Option("--trust", metavar="FILE", help="Trust file: check the signatures of statements by it."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say what differs between two models, and why.

    In meaning (metrics, parameters, data, code, weights), in packages, and by which derivations. Nothing is built;
    neither has to be in a store. Exit 0 if nothing differs, 1 if something does.

    Example: reprobuild nix diff HEAD~1 .
    """
    if html is not None and not html.absolute().parent.is_dir():
        raise UsageError(f"--html {html}: there is no such folder", hint=f"make {html.absolute().parent}")
    found = wiring.session(quiet=True).diff_service(trust).run(first, second, project)
    if as_json:
        render.document(found.model_dump(mode="json", by_alias=True))
    else:
        from reprobuild.cli.diff_text import diff_text

        render.result_line(diff_text(found))
    if html is not None:
        from reprobuild.cli.page.diff import diff_page

        try:
            html.write_text(diff_page(found), encoding="utf-8")
        except OSError as error:
            raise UsageError(
                f"--html {html}: cannot be written", actual=str(error.strerror), hint="name another file"
            ) from error
    if not found.same:
        raise typer.Exit(EXIT_NO)


def register(app: typer.Typer, nix_app: typer.Typer) -> None:
    nix_app.command("diff")(diff)
