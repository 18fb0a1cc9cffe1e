"""Bundles of OpenSSF Model Signing, version 1.0: a Sigstore bundle with one statement about a folder's files.

Source: github.com/ossf/model-signing-spec, version 1.0; checked against the tool `model-signing`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from reprobuild.core.dsse import Signer, compact, envelope
from reprobuild.errors import SigningKeyError


def bundle(name: str, files: Mapping[str, str], signer: Signer, public_pem: str) -> str:
    """
    Args:
        name: the model's; the tool uses the folder's.
        files: path → SHA-256 (hex) of every regular file.
        signer: an ECDSA P-256 key: the specification has no Ed25519.
    Raises:
        SigningKeyError: a key of another kind.
    """
    from reprobuild_verify.dsse import BUNDLE
    from reprobuild_verify.public_key import ECDSA_P256, load_public_key

    algorithm = load_public_key(public_pem).algorithm
    if algorithm != ECDSA_P256:
        raise SigningKeyError(
            "OpenSSF Model Signing knows no such key",
            expected=ECDSA_P256,
            actual=algorithm,
            hint=f"make one with `reprobuild keys new NAME --algorithm {ECDSA_P256}`",
        )
    document: dict[str, Any] = {
        "mediaType": BUNDLE,
        # the hint is of the PEM text, not of the DER as in our key ids
        "verificationMaterial": {
            "publicKey": {"hint": hashlib.sha256(public_pem.encode()).hexdigest()},
            "tlogEntries": [],
        },
        "dsseEnvelope": envelope(statement(name, files), signer),
    }
    return compact(document) + "\n"


def statement(name: str, files: Mapping[str, str]) -> bytes:
    """The payload: every file by name, and one digest over all their digests in a row."""
    from reprobuild_verify.statement import MODEL_SIGNING, STATEMENT

    ordered = sorted(files.items())
    row = hashlib.sha256(b"".join(bytes.fromhex(digest) for _, digest in ordered))
    return compact(
        {
            "_type": STATEMENT,
            "subject": [{"name": name, "digest": {"sha256": row.hexdigest()}}],
            "predicateType": MODEL_SIGNING,
            "predicate": {
                "serialization": {
                    "method": "files",
                    "hash_type": "sha256",
                    "allow_symlinks": False,
                    "ignore_paths": [],
                },
                "resources": [
                    {"name": file, "algorithm": "sha256", "digest": digest} for file, digest in ordered
                ],
            },
        }
    ).encode()
