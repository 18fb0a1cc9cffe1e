"""`reprobuild sign`: say by a signature that this artifact is yours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reprobuild.cli import render, wiring
from reprobuild.cli.options import JsonOption
from reprobuild.cli.passphrase import PassphraseFdOption, passphrase


def sign(
    result: Annotated[
        Path, typer.Argument(metavar="RESULT", help="Result link, store path, or a copied artifact.")
    ] = Path("result"),
    key: Annotated[
        str | None,
        typer.Option("--key", metavar="NAME", help="Key to sign with.", show_default="the only one there is"),
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option("--record", metavar="FILE", help="Sign this build record as well; it is copied there."),
    ] = None,
    model_signing: Annotated[
        bool,
        typer.Option(
            "--model-signing", help="Write an OpenSSF Model Signing bundle instead (ecdsa-p256 keys)."
        ),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="FOLDER", help="Where to write.", show_default="beside the result"),
    ] = None,
    passphrase_fd: PassphraseFdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sign a result: every file by its digest.

    Writes ARTIFACT-ID.intoto.jsonl beside the result. A second key adds its signature to the same statement.

    Example: reprobuild sign result --key release
    """
    from reprobuild.errors import UsageError
    from reprobuild.services import sign as service
    from reprobuild.services.check_artifact import check_artifact

    if model_signing and record is not None:
        raise UsageError("--record: a Model Signing bundle has no place for it", hint="leave out one of both")
    if record is not None and not record.is_file():
        raise UsageError(f"--record {record}: there is no such file")
    if output is not None and not output.is_dir():
        raise UsageError(f"--output {output}: there is no such folder")
    check_artifact(result.resolve())  # before anybody is asked for a passphrase
    keys = wiring.session().key_service()
    chosen = keys.for_signing(key)
    signer = keys.store.open(chosen, passphrase(passphrase_fd) if chosen.encrypted else None)
    if model_signing:
        done = service.sign_model(result, signer, chosen.public_key, folder=output)
    else:
        done = service.sign(result, signer, record=record, folder=output)
    if as_json:
        render.document(
            {
                "schema": "reprobuild.signed/1",
                "artifact_id": done.artifact_id,
                "key": chosen.name,
                "keyid": done.keyid,
                "files": [str(file) for file in done.files],
            }
        )
        return
    for file in done.files:
        render.result_line(str(file))


def register(app: typer.Typer, nix_app: typer.Typer) -> None:
    app.command("sign")(sign)
