"""`reprobuild verify`: rebuild, and compare the bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reprobuild.cli import render, wiring
from reprobuild.cli.options import HERE, JsonOption, ProjectOption, QuietOption, SetOption
from reprobuild.errors import EXIT_NO


def verify(
    result: Annotated[
        Path | None,
        typer.Argument(
            metavar="[RESULT]", help="Artifact to check against its manifest, instead of a rebuild."
        ),
    ] = None,
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

    Every stage and the artifact; exit 0 if all bytes are equal, 1 if not. With RESULT nothing is built: the
    files of that artifact are compared with its manifest.

    Example: reprobuild verify --rounds 3
    """
    if result is not None:
        _check_files(result, as_json=as_json)
        return
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
            if judged.reason:
                render.note(f"{judged.label}: {judged.reason}")
            if judged.differing_path:
                render.note(f"{judged.label}: compare {judged.out_path}\n  with {judged.differing_path}")
        render.result_line(f"verdict: {'same bytes' if verdict.ok else 'not the same'}")
    if not verdict.ok:
        raise typer.Exit(EXIT_NO)


def _check_files(result: Path, *, as_json: bool) -> None:
    from reprobuild.services.check_artifact import check_artifact

    found = check_artifact(result.resolve())
    if as_json:
        render.document(
            {
                "schema": "reprobuild.artifact-check/1",
                "artifact_id": found.manifest.artifact_id,
                "ok": found.ok,
                "files": len(found.manifest.files),
                "findings": [vars(finding) for finding in found.findings],
            }
        )
    else:
        for finding in found.findings:
            render.result_line(f"{finding.state:<8} {finding.path}")
            if finding.actual:
                render.note(f"  expected {finding.expected}  manifest.json\n  actual   {finding.actual}")
        state = (
            f"{len(found.manifest.files)} files as in the manifest" if found.ok else "not as in the manifest"
        )
        render.result_line(f"verdict: {found.manifest.artifact_id}: {state}")
    if not found.ok:
        raise typer.Exit(EXIT_NO)


def register(app: typer.Typer, nix_app: typer.Typer) -> None:
    app.command("verify")(verify)
