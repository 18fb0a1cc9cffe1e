"""`reprobuild schema`: the published formats."""

from __future__ import annotations

from typing import Annotated

import typer

from reprobuild.cli import render
from reprobuild.errors import UsageError


def schema(
    lock: Annotated[bool, typer.Option("--lock", help="Print the schema of reprobuild.lock.")] = False,
    record: Annotated[bool, typer.Option("--record", help="Print the schema of build records.")] = False,
    verdict: Annotated[bool, typer.Option("--verdict", help="Print the schema of verdicts.")] = False,
    baseline: Annotated[
        bool, typer.Option("--baseline", help="Print the schema of reprobuild.baseline.json.")
    ] = False,
    hardware: Annotated[
        bool, typer.Option("--hardware", help="Print the schema of hardware profiles.")
    ] = False,
    cuda: Annotated[bool, typer.Option("--cuda", help="Print the schema of the CUDA table.")] = False,
    archive: Annotated[
        bool, typer.Option("--archive", help="Print the schema of an archive's archive.json.")
    ] = False,
    trust: Annotated[bool, typer.Option("--trust", help="Print the schema of trust files.")] = False,
    statement: Annotated[
        bool, typer.Option("--statement", help="Print the schema of what `reprobuild sign` signs.")
    ] = False,
    attestation: Annotated[
        bool, typer.Option("--attestation", help="Print the schema of what `reprobuild attest` signs.")
    ] = False,
    checklist: Annotated[bool, typer.Option("--checklist", help="Print the schema of checklists.")] = False,
    key: Annotated[
        bool, typer.Option("--key", help="Print the schema of a signing key's JSON file.")
    ] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Print the schema of what nix diff prints.")] = False,
    lineage: Annotated[
        bool, typer.Option("--lineage", help="Print the schema of what lineage prints.")
    ] = False,
    defaults: Annotated[
        bool, typer.Option("--defaults", help="Print the defaults that the Nix library fills in.")
    ] = False,
) -> None:
    """Print the JSON Schema of reprobuild.toml (read as JSON).

    Example: reprobuild schema > reprobuild.schema.json
    """
    from reprobuild.core import schemas

    asked = {
        "--lock": lock,
        "--record": record,
        "--verdict": verdict,
        "--baseline": baseline,
        "--hardware": hardware,
        "--cuda": cuda,
        "--archive": archive,
        "--trust": trust,
        "--statement": statement,
        "--attestation": attestation,
        "--checklist": checklist,
        "--key": key,
        "--diff": diff,
        "--lineage": lineage,
        "--defaults": defaults,
    }
    chosen = [option for option, on in asked.items() if on]
    if len(chosen) > 1:
        raise UsageError(f"{' and '.join(chosen)}: one document at a time", hint=f"leave out {chosen[1]}")
    documents = {
        "--lock": schemas.lock_schema,
        "--record": schemas.record_schema,
        "--verdict": schemas.verdict_schema,
        "--baseline": schemas.baseline_schema,
        "--hardware": schemas.hardware_schema,
        "--cuda": schemas.cuda_table_schema,
        "--archive": schemas.archive_schema,
        "--trust": schemas.trust_schema,
        "--statement": schemas.statement_schema,
        "--attestation": schemas.attestation_schema,
        "--checklist": schemas.checklist_schema,
        "--key": schemas.key_schema,
        "--diff": schemas.diff_schema,
        "--lineage": schemas.lineage_schema,
        "--defaults": schemas.spec_defaults,
    }
    render.document(documents[chosen[0]]() if chosen else schemas.spec_schema())


def register(app: typer.Typer, nix_app: typer.Typer) -> None:
    app.command("schema")(schema)
