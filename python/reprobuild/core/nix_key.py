"""An Ed25519 key as Nix writes it: `NAME:BASE64`.

Source: Nix manual, `nix key generate-secret`; libutil/signature/local-keys.cc.
"""

from __future__ import annotations

import base64

from reprobuild.errors import SigningKeyError


def public_line(name: str, public_pem: str) -> str:
    """What `trusted-public-keys` holds.

    Raises:
        SigningKeyError: not an Ed25519 key.
    """
    return f"{name}:{base64.b64encode(_raw_public(public_pem)).decode()}"


def secret_line(name: str, seed: bytes, public_pem: str) -> str:
    """What `secret-key-files` and `nix store sign` read: seed and public key.

    Raises:
        SigningKeyError: not an Ed25519 key.
    """
    return f"{name}:{base64.b64encode(seed + _raw_public(public_pem)).decode()}"


def _raw_public(public_pem: str) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from reprobuild_verify.public_key import load_public_key

    key = load_public_key(public_pem)
    if not isinstance(key.key, Ed25519PublicKey):
        raise SigningKeyError(
            "Nix knows no such key",
            expected="ed25519",
            actual=key.algorithm,
            hint="make one with `reprobuild keys new NAME`",
        )
    return key.key.public_bytes_raw()
