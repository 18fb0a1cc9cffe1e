"""`reprobuild doctor`: can this host build?"""

from __future__ import annotations

import typer

from reprobuild.cli import render, wiring
from reprobuild.cli.options import JsonOption
from reprobuild.errors import EXIT_HOST


def doctor(as_json: JsonOption = False) -> None:
    """Check whether this host can build.

    Nix, store, sandbox, user namespaces, disk, uv and GPU, and how to mend each.

    Example: reprobuild doctor
    """
    findings = wiring.session(quiet=True).doctor_service().run()
    ok = all(finding.state != "failed" for finding in findings)
    if as_json:
        render.document(
            {
                "schema": "reprobuild.doctor/1",
                "ok": ok,
                "findings": [finding.__dict__ for finding in findings],
            }
        )
    else:
        for line in render.table([[f.state, f.name, f.found] for f in findings]):
            render.result_line(line)
        for finding in findings:
            if finding.mend and finding.state != "ok":
                render.note(f"{finding.name}: {finding.mend}")
    if not ok:
        raise typer.Exit(EXIT_HOST)


def register(app: typer.Typer, nix_app: typer.Typer) -> None:
    app.command("doctor")(doctor)
