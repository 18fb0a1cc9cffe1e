"""`reprobuild sign`: say by a signature that this artifact is yours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reprobuild.cli import render, wiring
from reprobuild.cli.options import ArtifactArgument, JsonOption
from reprobuild.cli.passphrase import PassphraseFdOption, passphrase

if TYPE_CHECKING:
    from reprobuild.domain.signing_key import SigningKey


def sign(
    result: ArtifactArgument = Path("result"),
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
    nix: Annotated[
        bool,
        typer.Option(
            "--nix",
            help="Add Nix's own signature to the store path instead (ed25519 keys): `nix store verify`.",
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
    if nix and (model_signing or record is not None or output is not None):
        raise UsageError(
            "--nix: Nix keeps its signatures in the store, and signs nothing else",
            hint="leave out --model-signing, --record and --output",
        )
    if record is not None and not record.is_file():
        raise UsageError(f"--record {record}: there is no such file")
    if output is not None and not output.is_dir():
        raise UsageError(f"--output {output}: there is no such folder")
    check_artifact(result.resolve())  # before anybody is asked for a passphrase
    session = wiring.session()
    keys = session.key_service()
    chosen = keys.for_signing(key)
    word = passphrase(passphrase_fd) if chosen.encrypted else None
    if nix:
        path = service.sign_in_store(result, keys, chosen, word, session.store_signer())
        _show_in_store(path, chosen, as_json=as_json)
        return
    signer = keys.store.open(chosen, word)
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


def _show_in_store(path: str, key: SigningKey, *, as_json: bool) -> None:
    from reprobuild.services.keys import nix_public

    public = nix_public(key)
    if as_json:
        fields = {"store_path": path, "key": key.name, "trusted_public_key": public}
        render.document({"schema": "reprobuild.signed-in-store/1", **fields})
        return
    render.result_line(path)
    render.note(f"whoever is to believe it sets trusted-public-keys to {public}")


def register(app: typer.Typer, nix_app: typer.Typer) -> None:
    app.command("sign")(sign)
