"""`reprobuild verify-signature`: who signed this artifact, and is it what they signed?"""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Annotated

import typer

from reprobuild.cli import render
from reprobuild.cli.options import ArtifactArgument, JsonOption
from reprobuild.errors import EXIT_NO, UsageError


def verify_signature(
    trust: Annotated[Path, typer.Option("--trust", metavar="FILE", help="Trust file: who may sign what.")],
    result: ArtifactArgument = Path("result"),
    statements: Annotated[
        Path | None,
        typer.Option(
            "--statements",
            metavar="FILE",
            help="Signed statements, or an OpenSSF Model Signing bundle.",
            show_default="*.intoto.jsonl beside the result",
        ),
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option(
            "--record",
            metavar="FILE",
            help="Build record that was signed.",
            show_default="the one beside the statements",
        ),
    ] = None,
    quarantine: Annotated[
        Path | None,
        typer.Option(
            "--quarantine",
            metavar="FOLDER",
            help="Move a result that is rejected there, with a record of the incident.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check who signed a result, and that it is what they signed.

    Needs neither Nix nor a network; `python -m reprobuild_verify` does the same without the rest of
    reprobuild. Exit 0 if every statement holds, 1 if not.

    Example: reprobuild verify-signature result --trust trust.toml
    """
    from reprobuild.services.trusted import trust_file
    from reprobuild_verify.__main__ import check, document, statements_beside, text_lines

    report = check(result, trust_file(trust), statements, record)
    found = document(report)
    if as_json:
        render.document(found)
    else:
        for line in text_lines(report):
            render.result_line(line)
    if not report.ok and quarantine is not None and (result.is_symlink() or result.exists()):
        from reprobuild.services.quarantine import quarantine as put_away

        beside = statements_beside(result, statements)
        try:
            place = put_away(result, beside, found, quarantine, platform.node())
        except UsageError as problem:  # the answer above stands
            render.error(problem, as_json=False)
        else:
            render.note(f"{result} is in quarantine: {place}")
    if not report.ok:
        raise typer.Exit(EXIT_NO)


def register(app: typer.Typer, nix_app: typer.Typer) -> None:
    app.command("verify-signature")(verify_signature)
