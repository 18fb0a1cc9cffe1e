"""May an entry of a binary cache be believed: by its own content, or by a signature of a trusted key?"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass

from reprobuild.domain.narinfo import CacheEntry
from reprobuild.errors import UsageError


@dataclass(frozen=True)
class PublicKey:
    """An Ed25519 key as Nix writes it, `NAME:BASE64`."""

    name: str
    raw: bytes

    def signed(self, message: bytes, signature: bytes) -> bool:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


def parse_key(text: str) -> PublicKey:
    """
    Raises:
        UsageError: not `NAME:BASE64` of 32 bytes.
    """
    name, _, encoded = text.partition(":")
    try:
        raw = base64.b64decode(encoded, validate=True)
    except ValueError:
        raw = b""
    if not name or len(raw) != 32:
        hint = "take the line that `nix key convert-secret-to-public` prints"
        if len(raw) == 64:
            hint = "this is a secret key: keep it; " + hint
            text = f"{name}:…"
        raise UsageError(
            f"{text}: not a public key",
            expected="NAME:BASE64 of 32 bytes",
            actual=f"{len(raw)} bytes",
            hint=hint,
        )
    return PublicKey(name, raw)


def trusted_by(entry: CacheEntry, keys: Iterable[PublicKey]) -> str | None:
    """Name of the key that signed it, `content` where the path follows from the content, else None."""
    if entry.addresses_itself:
        return "content"
    by_name = {key.name: key for key in keys}
    for text in entry.signatures:
        name, _, encoded = text.partition(":")
        try:
            signature = base64.b64decode(encoded, validate=True)
        except ValueError:
            continue
        if (key := by_name.get(name)) is not None and key.signed(entry.fingerprint, signature):
            return name
    return None
