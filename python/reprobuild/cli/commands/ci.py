"""`reprobuild ci`: a pipeline that builds and verifies a project."""

from __future__ import annotations

from typing import Annotated

import typer

from reprobuild import __version__
from reprobuild.cli import render, wiring
from reprobuild.cli.options import HERE, JsonOption, ProjectOption


def ci(
    system: Annotated[str, typer.Argument(metavar="SYSTEM", help="github or gitlab.")],
    project: ProjectOption = HERE,
    requirement: Annotated[
        str,
        typer.Option(
            "--requirement",
            metavar="TEXT",
            help="What pip installs there as reprobuild: a version, wheel or address.",
            show_default="this version",
        ),
    ] = f"reprobuild=={__version__}",
    force: Annotated[bool, typer.Option("--force", help="Replace a file that says something else.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the file, write nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write a pipeline that checks the lock, builds and verifies.

    Into the repository that the project lies in: .github/workflows/reprobuild.yml or .gitlab-ci.yml.

    Example: reprobuild ci github
    """
    from reprobuild.services.ci import write_pipeline
    from reprobuild.services.project import open_project

    made = write_pipeline(
        wiring.templates(), system, open_project(project), requirement, force=force, dry_run=dry_run
    )
    if as_json:
        render.document(
            {
                "schema": "reprobuild.ci/1",
                "file": str(made.file),
                "written": made.written,
                "text": made.text,
            }
        )
    elif dry_run:
        render.result_line(made.text.removesuffix("\n"))
    else:
        render.result_line(str(made.file))
        render.note("next: commit it" if made.written else "unchanged: it says all this already")


def register(app: typer.Typer, nix_app: typer.Typer) -> None:
    app.command("ci")(ci)
