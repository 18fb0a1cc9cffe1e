"""`reprobuild report`: one page about a result, for people who decide."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reprobuild.cli import render
from reprobuild.cli.options import HERE, JsonOption, ProjectOption
from reprobuild.errors import UsageError


def report(
    result: Annotated[
        Path, typer.Argument(metavar="RESULT", help="Result link, store path, or a project's folder.")
    ] = Path("result"),
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write there, not to stdout.")
    ] = None,
    verdict: Annotated[
        Path | None,
        typer.Option("--verdict", metavar="FILE", help="What `reprobuild verify --json` printed of it."),
    ] = None,
    trust: Annotated[
        Path | None,
        typer.Option("--trust", metavar="FILE", help="Trust file: the statements beside it are checked."),
    ] = None,
    advisories: Annotated[
        Path | None,
        typer.Option(
            "--advisories",
            metavar="FOLDER",
            help="Folder or zip of OSV files: known vulnerabilities are looked up there.",
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="A",
            help="Result, record or git revision to compare with.",
            show_default="the artifact before it, by the records",
        ),
    ] = None,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="Why it changed.")] = "",
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Write one HTML page about a result, for people who decide.

    What it is, levels, metrics against goals, data, parts, machines, signatures, changes, risks. Needs no network;
    the same documents give the same bytes.

    Example: reprobuild report result --verdict verdict.json --output report.html
    """
    from reprobuild.cli import wiring
    from reprobuild.cli.page.report import report_page
    from reprobuild.domain.digest import Digest
    from reprobuild.services.report import ReportRequest

    place = result / "result" if (result / "reprobuild.toml").exists() else result
    request = ReportRequest(
        result=place,
        project=project,
        verdict=verdict,
        trust=trust,
        advisories=advisories,
        since=since,
        why=why.strip(),
    )
    found = wiring.session(quiet=True).report_service().of(request)
    text = report_page(found)
    if output is not None:
        _write(output, text)
    if as_json:
        render.document(
            {
                "schema": "reprobuild.report/1",
                "artifact_id": found.artifact.artifact_id,
                "output": str(output) if output else None,
                "html": None if output else text,
                "sha256": str(Digest.of_bytes(text.encode())),
                "risks": [vars(one) for one in found.risks],
                "origins": found.origins,
            }
        )
    elif output is None:
        render.result_line(text.rstrip("\n"))


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"--output {file}: cannot be written",
            actual=error.strerror,
            hint="name a file in a folder of yours",
        ) from error


def register(app: typer.Typer, nix_app: typer.Typer) -> None:
    app.command("report")(report)
