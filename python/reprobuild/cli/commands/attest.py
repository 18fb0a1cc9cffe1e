"""`reprobuild attest`: say how a result was built, by signed statements."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reprobuild.cli import render, wiring
from reprobuild.cli.options import ArtifactArgument, JsonOption
from reprobuild.cli.passphrase import PassphraseFdOption, passphrase
from reprobuild.errors import UsageError


def attest(
    result: ArtifactArgument = Path("result"),
    keys: Annotated[
        list[str] | None,
        typer.Option(
            "--key",
            metavar="NAME",
            help="Key to sign with; may be given more than once.",
            show_default="the only one there is",
        ),
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option(
            "--record",
            metavar="FILE",
            help="Record of the build.",
            show_default="the one beside the result, else this machine's",
        ),
    ] = None,
    verdict: Annotated[
        Path | None,
        typer.Option("--verdict", metavar="FILE", help="What `reprobuild verify --json` printed of it."),
    ] = None,
    checklist: Annotated[
        Path | None,
        typer.Option("--checklist", metavar="FILE", help="What people checked: it goes into the CycloneDX."),
    ] = None,
    unsigned: Annotated[
        bool, typer.Option("--unsigned", help="Print the statements, one a line, and sign nothing.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="FOLDER", help="Where to write.", show_default="beside the result"),
    ] = None,
    passphrase_fd: PassphraseFdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sign how a result was built, as in-toto statements.

    SLSA provenance, test result (goals, verdict), measured hardware (SCAI) and CycloneDX. They are added to
    ARTIFACT-ID.intoto.jsonl, where `reprobuild sign` writes too. Run it on the machine that built.

    Example: reprobuild attest result --key release
    """
    from reprobuild.services.attest import sign_statements

    if unsigned and (keys or output):
        raise UsageError("--unsigned signs and writes nothing", hint="leave out --key and --output")
    for option, file in (("--record", record), ("--verdict", verdict), ("--checklist", checklist)):
        if file is not None and not file.is_file():
            raise UsageError(f"{option} {file}: there is no such file")
    if output is not None and not output.is_dir():
        raise UsageError(f"--output {output}: there is no such folder")
    session = wiring.session(quiet=True)
    service = session.key_service()
    names: list[str | None] = [*keys] if keys else [None]
    chosen = [] if unsigned else [service.for_signing(name) for name in names]
    attested = session.attest_service().statements(
        result, record=record, verdict=verdict, checklist=checklist
    )
    for gap in attested.gaps:
        render.note(gap)
    if unsigned:
        for payload in attested.payloads:
            render.result_line(payload.decode())
        return
    word = passphrase(passphrase_fd) if passphrase_fd is not None else None  # one for all keys
    signers = [
        service.store.open(
            key, (word or passphrase(None, what=f"Passphrase of {key.name}")) if key.encrypted else None
        )
        for key in chosen
    ]
    written = sign_statements(result, attested, signers, output)
    if as_json:
        render.document(
            {
                "schema": "reprobuild.attested/1",
                "artifact_id": attested.artifact_id,
                "record": str(attested.record),
                "predicates": [one.predicate_type for one in attested.statements],
                "keys": [key.name for key in chosen],
                "gaps": list(attested.gaps),
                "file": str(written),
            }
        )
        return
    render.result_line(str(written))


def register(app: typer.Typer, nix_app: typer.Typer) -> None:
    app.command("attest")(attest)
