"""`reprobuild show`: print a result for people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reprobuild.cli import render
from reprobuild.cli.options import JsonOption


def show(
    result: Annotated[
        Path,
        typer.Argument(
            metavar="RESULT",
            help="Result link, store path, or a project's folder; with --inputs also a build record.",
        ),
    ] = Path("result"),
    inputs: Annotated[
        bool,
        typer.Option("--inputs", help="Print what it is made of instead; of a project, what its lock says."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Print what a result is: id, metrics against goals, data, files.

    Example: reprobuild show result
    """
    if inputs:
        _show_inputs(result, as_json)
        return
    from reprobuild.cli.show_text import artifact_text
    from reprobuild.services.artifact import read_artifact, speaking_of

    path = result / "result" if (result / "reprobuild.toml").exists() else result
    artifact = read_artifact(path.resolve())
    if as_json:
        render.document(
            {
                "schema": "reprobuild.show/1",
                "artifact_id": artifact.artifact_id,
                "path": str(artifact.path),
                "metrics": artifact.metrics,
                "files": list(artifact.files),
                "spec": artifact.spec,
            }
        )
        return
    with speaking_of(artifact.path):
        text = artifact_text(artifact)
    render.result_line(text)


def _show_inputs(place: Path, as_json: bool) -> None:
    from reprobuild.cli import wiring
    from reprobuild.cli.inputs_text import inputs_text

    composition = wiring.session().composed().of(place)
    if as_json:
        render.document(
            {
                "schema": "reprobuild.inputs/1",
                "parts": [one.model_dump(mode="json", exclude_none=True) for one in composition.listed()],
                "needs": {node: sorted(needs) for node, needs in sorted(composition.graph.edges.items())},
            }
        )
        return
    for line in inputs_text(composition.listed()):
        render.result_line(line)


def register(app: typer.Typer, nix_app: typer.Typer) -> None:
    app.command("show")(show)
