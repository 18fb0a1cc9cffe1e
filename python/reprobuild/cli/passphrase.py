"""Where a key's passphrase comes from: a file descriptor, REPROBUILD_KEY_PASSPHRASE, or a prompt."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from reprobuild.errors import UsageError

VARIABLE = "REPROBUILD_KEY_PASSPHRASE"
_MOST_BYTES = 1023  # that OpenSSL encrypts with
PassphraseFdOption = Annotated[
    int | None,
    typer.Option(
        "--passphrase-fd",
        metavar="N",
        min=0,
        help=f"Read the passphrase's one line from this file descriptor; else {VARIABLE}, else a prompt.",
    ),
]


def passphrase(fd: int | None, *, twice: bool = False, what: str = "Passphrase") -> bytes:
    """
    Args:
        twice: ask again where it is typed, for a new key.
    Raises:
        UsageError: none is given, or nobody is there to be asked.
    """
    if fd is not None:
        try:
            with os.fdopen(fd, "rb", closefd=False) as stream:
                given = stream.readline().rstrip(b"\r\n")
        except OSError as error:
            raise UsageError(f"--passphrase-fd {fd}: {error.strerror}") from error
    elif VARIABLE in os.environ:
        given = os.environb[VARIABLE.encode()]
    elif sys.stdin.isatty():
        given = typer.prompt(what, hide_input=True, confirmation_prompt=twice, err=True).encode()
    else:
        raise UsageError(
            "a passphrase is needed, and nobody is there to be asked",
            expected=f"--passphrase-fd N, {VARIABLE}, or a terminal",
            actual="none of them",
            hint="for a key without a passphrase: `reprobuild keys new NAME --no-passphrase`"
            if twice
            else None,
        )
    if not given:
        raise UsageError("the passphrase is empty", hint="give one, or none at all with --no-passphrase")
    if len(given) > _MOST_BYTES:
        raise UsageError(
            "the passphrase is too long",
            expected=f"at most {_MOST_BYTES} bytes",
            actual=f"{len(given)} bytes",
            hint="give a shorter one",
        )
    return given
