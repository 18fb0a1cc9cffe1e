"""`reprobuild keys`: make, list, export, trust, rotate and revoke signing keys."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reprobuild.cli import render, wiring
from reprobuild.cli.options import JsonOption
from reprobuild.cli.passphrase import PassphraseFdOption, passphrase
from reprobuild.errors import UsageError

if TYPE_CHECKING:
    from reprobuild.domain.signing_key import SigningKey

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The key's name.")]
NoPassphraseOption = Annotated[
    bool, typer.Option("--no-passphrase", help="Do not encrypt the private key: its file alone signs.")
]


def new(
    name: NameArgument,
    algorithm: Annotated[
        str,
        typer.Option("--algorithm", metavar="NAME", help="ed25519, or ecdsa-p256 for OpenSSF Model Signing."),
    ] = "ed25519",
    no_passphrase: NoPassphraseOption = False,
    passphrase_fd: PassphraseFdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a key pair.

    The private key is encrypted with a passphrase, in a file that only you can read.

    Example: reprobuild keys new release
    """
    if algorithm not in ("ed25519", "ecdsa-p256"):
        raise UsageError("--algorithm: no such algorithm", expected="ed25519 or ecdsa-p256", actual=algorithm)
    word = None if no_passphrase else passphrase(passphrase_fd, twice=True)
    _show(wiring.session().key_service().new(name, algorithm, word), as_json=as_json)  # type: ignore[arg-type]


def list_keys(as_json: JsonOption = False) -> None:
    """List this user's keys.

    Example: reprobuild keys list
    """
    keys = wiring.session().key_service().store.known()
    if as_json:
        render.document({"schema": "reprobuild.keys/1", "keys": [_fields(key) for key in keys]})
        return
    for line in render.table(
        [(key.name, key.algorithm, key.keyid[:16], key.created, _state(key)) for key in keys]
    ):
        render.result_line(line)
    if not keys:
        render.note("no keys; make one with `reprobuild keys new NAME`")


def export(
    name: NameArgument,
    form: Annotated[
        str,
        typer.Option(
            "--format", metavar="FORM", help="trust (a trust file's table), pem, or nix (NAME:BASE64)."
        ),
    ] = "trust",
    secret: Annotated[
        Path | None,
        typer.Option(
            "--secret", metavar="FILE", help="With --format nix: write the secret key here, unencrypted."
        ),
    ] = None,
    passphrase_fd: PassphraseFdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print a public key as others read it.

    Example: reprobuild keys export release --format nix
    """
    from reprobuild.services.keys import nix_public, trust_lines

    forms = {"trust": trust_lines, "pem": lambda key: key.public_key.strip(), "nix": nix_public}
    if form not in forms:
        raise UsageError("--format: no such form", expected=", ".join(forms), actual=form)
    if secret is not None and form != "nix":
        raise UsageError("--secret: only with --format nix", hint="other forms have no secret")
    service = wiring.session().key_service()
    key = service.find(name)
    text = forms[form](key)
    if secret is not None:
        word = passphrase(passphrase_fd) if key.encrypted else None
        _write_secret(secret, service.nix_secret(key, word))
    if as_json:
        render.document({"schema": "reprobuild.key-export/1", "name": key.name, "format": form, "text": text})
    else:
        render.result_line(text)


def trust(
    names: Annotated[
        list[str],
        typer.Option("--key", metavar="NAME", help="Key that may sign; may be given more than once."),
    ],
    models: Annotated[
        list[str], typer.Option("--model", metavar="NAME", help="Model that they may sign; `*` for all.")
    ],
    threshold: Annotated[
        int, typer.Option("--threshold", metavar="N", min=1, help="How many of them must have signed.")
    ] = 1,
    required: Annotated[
        bool, typer.Option("--required", help="Refuse a model that was not attested as well as signed.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Print a trust file for what `sign` and `attest` write.

    Example: reprobuild keys trust --key release --model digits > trust.toml
    """
    from reprobuild.services.keys import trust_file

    if threshold > len(set(names)):
        raise UsageError(
            f"--threshold {threshold} cannot be met",
            expected=f"1 to {len(set(names))}, the number of keys",
            actual=str(threshold),
            hint="name more keys, or lower it",
        )
    if unfit := [one for one in models if not one or not one.isprintable()]:
        raise UsageError(
            "--model: no model is called so", actual=ascii(unfit[0]), hint="`--model '*'` stands for all"
        )
    service = wiring.session().key_service()
    text = trust_file(
        [service.find(name) for name in dict.fromkeys(names)], models, threshold, required=required
    )
    if as_json:
        render.document({"schema": "reprobuild.key-trust/1", "keys": names, "text": text})
    else:
        render.result_line(text)


def rotate(
    name: NameArgument,
    no_passphrase: NoPassphraseOption = False,
    passphrase_fd: PassphraseFdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a successor; the old key signs no more.

    What the old key signed stays valid until the trust file says otherwise.

    Example: reprobuild keys rotate release
    """
    word = None if no_passphrase else passphrase(passphrase_fd, twice=True, what="Passphrase of the new key")
    _show(wiring.session().key_service().rotate(name, word), as_json=as_json)


def revoke(
    name: NameArgument,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for the trust file.")],
    as_json: JsonOption = False,
) -> None:
    """Mark a key as revoked: it signs no more.

    Prints its table for the trust file: who checks signatures knows only that.

    Example: reprobuild keys revoke release --reason "laptop lost"
    """
    from reprobuild.services.keys import trust_lines

    key = wiring.session().key_service().revoke(name, reason)
    if as_json:
        _show(key, as_json=True)
    else:
        render.result_line(trust_lines(key))


def _show(key: SigningKey, *, as_json: bool) -> None:
    if as_json:
        render.document({"schema": "reprobuild.keys/1", "keys": [_fields(key)]})
    else:
        render.result_line(f"{key.name} {key.algorithm} {key.keyid}")


def _fields(key: SigningKey) -> dict[str, Any]:
    return key.model_dump(mode="json", exclude={"schema_"}, exclude_none=True)


def _state(key: SigningKey) -> str:
    if key.revoked is not None:
        return f"revoked on {key.revoked.on}: {key.revoked.reason}"
    if key.replaced_by is not None:
        return f"replaced by {key.replaced_by}"
    return "passphrase" if key.encrypted else "no passphrase"


def _write_secret(file: Path, text: str) -> None:
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise UsageError(f"--secret {file}: {error.strerror}") from error
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)


def register(keys_app: typer.Typer) -> None:
    keys_app.command("new")(new)
    keys_app.command("list")(list_keys)
    keys_app.command("export")(export)
    keys_app.command("trust")(trust)
    keys_app.command("rotate")(rotate)
    keys_app.command("revoke")(revoke)
