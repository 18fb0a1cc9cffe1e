"""`reprobuild show`: print a result for people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from reprobuild.cli import render
from reprobuild.cli.options import JsonOption


def show(
    result: Annotated[
        Path, typer.Argument(metavar="RESULT", help="Result link, store path, or a project's folder.")
    ] = Path("result"),
    as_json: JsonOption = False,
) -> None:
    """Print what a result is: id, metrics against goals, data, files.

    Example: reprobuild show result
    """
    from reprobuild.services.artifact import read_artifact

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
    model = artifact.spec["model"]
    lines = [artifact.artifact_id, f"  {model['description']}", f"  {artifact.path}", ""]
    lines += ["metrics"]
    rows = [
        [name, f"{value:g}" if isinstance(value, int | float) else str(value), _goal(artifact.spec, name)]
        for name, value in artifact.metrics.items()
    ]
    lines += list(render.table(rows, indent="  ")) or ["  none"]
    lines += ["", "data"]
    data = artifact.spec.get("datasets", {})
    lines += list(
        render.table([[n, d["license"], d["retrieved"], d["source"]] for n, d in data.items()], indent="  ")
    ) or ["  none"]
    lines += [
        "",
        f"made with  seed {artifact.spec['numerics']['seed']}, level {artifact.spec['numerics']['level']}",
    ]
    lines += [f"licence    {model['license']}", f"owners     {', '.join(model['owners'])}", "", "files"]
    lines += list(
        render.table(
            [[f["path"], render.size(f["size_bytes"]), f["sha256"]] for f in artifact.files], indent="  "
        )
    )
    render.result_line("\n".join(lines))


def _goal(spec: dict[str, Any], name: str) -> str:
    metric = spec.get("metrics", {}).get(name, {})
    goals = [
        f"{word} {metric[key]:g}"
        for key, word in (("minimum", "at least"), ("maximum", "at most"))
        if key in metric
    ]
    return f"goal: {' and '.join(goals)}" if goals else ""


def register(app: typer.Typer, nix_app: typer.Typer) -> None:
    app.command("show")(show)
