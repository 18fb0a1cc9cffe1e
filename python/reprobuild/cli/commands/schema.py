"""`reprobuild schema`: the published formats."""

from __future__ import annotations

from typing import Annotated

import typer

from reprobuild.cli import render


def schema(
    defaults: Annotated[bool, typer.Option("--defaults", help="Print the defaults that the Nix library fills in.")] = False,
    lock: Annotated[bool, typer.Option("--lock", help="Print the schema of reprobuild.lock.")] = False,
    record: Annotated[bool, typer.Option("--record", help="Print the schema of build records.")] = False,
) -> None:
    """Print the JSON Schema of reprobuild.toml (read as JSON).

    Example: reprobuild schema > reprobuild.schema.json
    """
    from reprobuild.core import spec_schema

    if defaults:
        render.document(spec_schema.spec_defaults())
    elif lock:
        render.document(spec_schema.lock_schema())
    elif record:
        render.document(spec_schema.record_schema())
    else:
        render.document(spec_schema.spec_schema())


def register(app: typer.Typer, nix_app: typer.Typer) -> None:
    app.command("schema")(schema)
