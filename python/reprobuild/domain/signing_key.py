"""A signing key without its secret, as the key folder and the trust file name it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from reprobuild.domain.value import Value

KEY_SCHEMA: Literal["reprobuild.key/1"] = "reprobuild.key/1"
Algorithm = Literal["ed25519", "ecdsa-p256"]


class Revocation(Value):
    on: str = Field(description="day, UTC, such as 2026-11-21")
    reason: str


class SigningKey(Value):
    schema_: Literal["reprobuild.key/1"] = Field(default=KEY_SCHEMA, alias="schema")
    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9._-]*$", description="as files, commands and trust files call it"
    )
    algorithm: Algorithm
    keyid: str = Field(pattern="^[0-9a-f]{64}$", description="SHA-256, hex, of the DER SubjectPublicKeyInfo")
    public_key: str = Field(description="PEM, SubjectPublicKeyInfo")
    created: str = Field(description="day, UTC")
    encrypted: bool = Field(description="whether the private key needs a passphrase")
    replaced_by: str | None = Field(
        default=None, description="name of the key that `rotate` made in its place"
    )
    revoked: Revocation | None = None

    @property
    def usable(self) -> bool:
        return self.replaced_by is None and self.revoked is None
