"""`reprobuild nix shell` and `reprobuild nix eval`."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from reprobuild.cli import render, wiring
from reprobuild.cli.options import HERE, JsonOption, OfflineOption, ProjectOption, QuietOption, SetOption


def shell(
    command: Annotated[list[str] | None, typer.Argument(metavar="COMMAND", hidden=True)] = None,
    project: ProjectOption = HERE,
    stage: Annotated[
        str | None,
        typer.Option("--stage", metavar="NAME", help="Stage to enter.", show_default="the last one"),
    ] = None,
    set_: SetOption = None,
    offline: OfflineOption = False,
    quiet: QuietOption = False,
) -> None:
    """Enter a stage's environment to look around.

    Its Python, variables, inputs and parameters; not sandboxed. COMMAND is run in it, by default a shell.

    Example: reprobuild nix shell --stage train -- python -i train.py
    """
    from reprobuild.services.project import open_project

    opened = open_project(project, set_ or [])
    session = wiring.session(quiet=quiet)
    found = session.shell_service(offline=offline).prepare(opened, stage, session.build_view)
    arguments = list(command or [os.environ.get("SHELL") or "/bin/sh"])
    if not quiet and not command:
        render.note(f"stage {found.stage}: outputs go to {found.out}; leave with exit")
    try:
        os.execvpe(arguments[0], arguments, found.variables)
    except OSError as error:
        from reprobuild.errors import UsageError

        raise UsageError(f"cannot run {arguments[0]}: {error.strerror}") from error


def evaluate(project: ProjectOption = HERE, set_: SetOption = None, as_json: JsonOption = False) -> None:
    """Translate the spec to derivations and print them; builds nothing.

    Example: reprobuild nix eval --json
    """
    from reprobuild.services.project import open_project

    opened = open_project(project, set_ or [])
    found = wiring.session(quiet=True).build_service().instantiate(opened)
    named = {"base": found.base, "environment": found.environment, **found.stages, "model": found.model}
    if as_json:
        render.document(
            {
                "schema": "reprobuild.eval/1",
                "derivations": {
                    label: {"drv_path": drv.drv_path, "out_path": drv.out_path}
                    for label, drv in named.items()
                },
                "wheels": [{"drv_path": drv.drv_path, "out_path": drv.out_path} for drv in found.wheels],
            }
        )
        return
    for line in render.table([[label, drv.drv_path] for label, drv in named.items()]):
        render.result_line(line)


def register(app: typer.Typer, nix_app: typer.Typer) -> None:
    nix_app.command("shell")(shell)
    nix_app.command("eval")(evaluate)
