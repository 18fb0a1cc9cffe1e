"""Signing keys: make, rotate, revoke, and say them as others read them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reprobuild.core.nix_key import public_line, secret_line
from reprobuild.domain.attestation import PREDICATES
from reprobuild.domain.signing_key import Algorithm, Revocation, SigningKey
from reprobuild.errors import SigningKeyError, UsageError
from reprobuild_verify.statement import ARTIFACT

if TYPE_CHECKING:
    from reprobuild.ports import KeyStore


@dataclass(frozen=True)
class KeyService:
    store: KeyStore
    today: str  # UTC, ISO 8601

    def find(self, name: str) -> SigningKey:
        """
        Raises:
            SigningKeyError: there is no such key.
        """
        known = self.store.known()
        for key in known:
            if key.name == name:
                return key
        raise SigningKeyError(
            f"there is no key {name}",
            actual=", ".join(key.name for key in known) or "no keys",
            hint="`reprobuild keys list` shows them",
        )

    def for_signing(self, name: str | None) -> SigningKey:
        """The named key; without a name the only usable one.

        Raises:
            SigningKeyError: none, several, or one that was replaced or revoked.
        """
        if name is None:
            usable = [key for key in self.store.known() if key.usable]
            if len(usable) != 1:
                raise SigningKeyError(
                    "which key is to sign?",
                    expected="one usable key, or --key NAME",
                    actual=", ".join(key.name for key in usable) or "no keys",
                    hint="name one with --key" if usable else "make one with `reprobuild keys new NAME`",
                )
            return usable[0]
        key = self.find(name)
        if key.revoked is not None:
            raise SigningKeyError(
                f"the key {name} was revoked on {key.revoked.on}: {key.revoked.reason}",
                hint="make another one with `reprobuild keys new NAME`",
            )
        if key.replaced_by is not None:
            raise SigningKeyError(f"the key {name} was replaced", hint=f"sign with --key {key.replaced_by}")
        return key

    def new(self, name: str, algorithm: Algorithm, passphrase: bytes | None) -> SigningKey:
        return self.store.create(name, algorithm, passphrase, self.today)

    def rotate(self, name: str, passphrase: bytes | None) -> SigningKey:
        """Make a successor of the same kind, `NAME-2` and so on; the old key signs no more.

        Raises:
            SigningKeyError: the key cannot sign any more as it is.
        """
        old = self.for_signing(name)
        taken, base, number = {key.name for key in self.store.known()}, name, 2
        if (match := re.fullmatch(r"(.*)-(\d+)", name)) is not None:
            base, number = match[1], int(match[2]) + 1
        while f"{base}-{number}" in taken:
            number += 1
        new = self.new(f"{base}-{number}", old.algorithm, passphrase)
        self.store.update(old.model_copy(update={"replaced_by": new.name}))
        return new

    def revoke(self, name: str, reason: str) -> SigningKey:
        """Mark a key so that it signs no more; who checks must be told by the trust file.

        Raises:
            UsageError: a reason that the trust file cannot hold, or none.
        """
        if not reason.strip() or not reason.isprintable():
            raise UsageError(
                "--reason: one line for those who read the trust file is needed",
                actual=ascii(reason),
                hint='such as --reason "laptop lost"',
            )
        key = self.find(name)
        if key.revoked is None:
            key = key.model_copy(update={"revoked": Revocation(on=self.today, reason=reason)})
            self.store.update(key)
        return key

    def nix_secret(self, key: SigningKey, passphrase: bytes | None) -> str:
        """For `nix store sign --key-file`; not encrypted."""
        return secret_line(key.name, self.store.open(key, passphrase).seed, key.public_key)


def nix_public(key: SigningKey) -> str:
    """For Nix's `trusted-public-keys`."""
    return public_line(key.name, key.public_key)


def trust_file(keys: Sequence[SigningKey], models: Sequence[str], threshold: int, *, required: bool) -> str:
    """A whole trust file: these keys may sign what `sign` and `attest` say of these models."""
    rule = [
        "[[rules]]",
        f"models = {_list(models)}",
        f"predicates = {_list((ARTIFACT, *PREDICATES))}",
        f"keys = {_list([key.name for key in keys])}",
        f"threshold = {threshold}",
        *(["required = true"] if required else []),
    ]
    return "\n\n".join(
        ['schema = "reprobuild.trust/1"', *(trust_lines(key) for key in keys), "\n".join(rule)]
    )


def _list(names: Sequence[str]) -> str:
    inner = "".join(f"    {json.dumps(name, ensure_ascii=False)},\n" for name in names)
    return f"[\n{inner}]"


def trust_lines(key: SigningKey) -> str:
    """The key's table in a trust file."""
    lines = [
        f"[keys.{json.dumps(key.name)}]",
        f'algorithm = "{key.algorithm}"',
        f'public_key = """\n{key.public_key.strip()}\n"""',
    ]
    if key.revoked is not None:
        reason = json.dumps(key.revoked.reason, ensure_ascii=False)
        lines.append(f'revoked = {{ on = "{key.revoked.on}", reason = {reason} }}')
    return "\n".join(lines)
