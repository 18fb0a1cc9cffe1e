"""`reprobuild sbom`: list what is in a model."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reprobuild.cli import render
from reprobuild.cli.options import JsonOption
from reprobuild.errors import EXIT_NO, UsageError

if TYPE_CHECKING:
    from reprobuild.core.sbom.advisories import Judgement
    from reprobuild.core.sbom.bill import Bill


class Format(StrEnum):
    cyclonedx = "cyclonedx-json"
    spdx = "spdx-json"


_VERSIONS = {Format.cyclonedx: ("1.6", "1.7"), Format.spdx: ("2.3",)}


def sbom(
    place: Annotated[
        Path, typer.Argument(metavar="RESULT", help="Result link, store path, or a project's folder.")
    ] = Path(),
    format_: Annotated[Format, typer.Option("--format", help="Format of the document.")] = Format.cyclonedx,
    spec_version: Annotated[
        str | None,
        typer.Option(
            "--spec-version",
            metavar="VERSION",
            help="CycloneDX 1.6 or 1.7, SPDX 2.3.",
            show_default="1.6, 2.3",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write there, not to stdout.")
    ] = None,
    licences: Annotated[
        bool, typer.Option("--licences", help="Print the licence of each part instead, unknown ones first.")
    ] = False,
    fail_on_unknown: Annotated[
        bool, typer.Option("--fail-on-unknown", help="Exit 1 if a licence is unknown.")
    ] = False,
    advisories: Annotated[
        Path | None,
        typer.Option(
            "--advisories",
            metavar="FOLDER",
            help="Folder or zip of OSV files: known vulnerabilities are looked up there. Exit 1 if there are any.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Print what is in a model as a bill of materials: CycloneDX or SPDX.

    From the lock alone where nothing is built. Equal inputs give equal bytes.

    Example: reprobuild sbom --output digits.cdx.json
    """
    from reprobuild.cli import wiring
    from reprobuild.cli.sbom_text import licence_cells, licence_rows, vulnerability_lines, vulnerability_rows
    from reprobuild.core.sbom.advisories import Judgement, judge
    from reprobuild.services.advisory_files import read_advisories

    version = _version(format_, spec_version)
    if licences and output is not None:
        raise UsageError(
            "--licences writes no document",
            expected="--licences or --output",
            actual="both",
            hint="leave out one",
        )
    report = wiring.session(quiet=True).sbom_service().of(place)
    judged = judge(report.bill, read_advisories(advisories)) if advisories else Judgement((), ())
    document = _document(report.bill, format_, version, judged)
    if output is not None:
        _write(output, _text(document))
    for gap in (*report.gaps, *(f"cannot be judged: {one}" for one in judged.not_judged)):
        render.note(gap)
    unknown = [one.node for one in report.bill.licensed if one.licence.expression is None]
    if as_json:
        render.document(
            {
                "schema": "reprobuild.sbom/1",
                "format": format_.value,
                "spec_version": version,
                "output": str(output) if output else None,
                "document": document,
                "licences": licence_rows(report.bill),
                "vulnerabilities": vulnerability_rows(judged),
                "not_judged": list(judged.not_judged),
                "gaps": list(report.gaps),
            }
        )
    else:
        if licences:
            for line in render.table(licence_cells(report.bill)):
                render.result_line(line)
        elif output is None:
            render.result_line(_text(document).rstrip("\n"))
        # beside a document on stdout only stderr is left
        say = render.result_line if output is not None or licences else render.note
        for line in vulnerability_lines(judged):
            say(line)
    if judged.findings or (fail_on_unknown and unknown):
        raise typer.Exit(EXIT_NO)


def _version(format_: Format, asked: str | None) -> str:
    known = _VERSIONS[format_]
    if asked is not None and asked not in known:
        raise UsageError(
            f"{format_.value} has no version {asked} here",
            expected=" or ".join(known),
            actual=asked,
            actual_from="--spec-version",
            hint=f"take --spec-version {known[0]}",
        )
    return asked or known[0]


def _document(bill: Bill, format_: Format, version: str, judged: Judgement) -> dict[str, Any]:
    from reprobuild.core.sbom.cyclonedx import cyclonedx
    from reprobuild.core.sbom.spdx import spdx

    if format_ is Format.spdx:
        return spdx(bill)
    return cyclonedx(bill, "1.7" if version == "1.7" else "1.6", judged.findings)


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"cannot write {file}",
            actual=error.strerror,
            actual_from="--output",
            hint="name a file in a folder of yours",
        ) from error


def register(app: typer.Typer, nix_app: typer.Typer) -> None:
    app.command("sbom")(sbom)
