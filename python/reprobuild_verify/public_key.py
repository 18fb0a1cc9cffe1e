"""Public keys that signatures are checked by: Ed25519, and ECDSA as OpenSSF Model Signing has it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    SECP384R1,
    SECP521R1,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ED25519 = "ed25519"
ECDSA_P256 = "ecdsa-p256"
# name of the curve → algorithm, and its hash
_CURVES: dict[str, tuple[str, hashes.HashAlgorithm]] = {
    SECP256R1.name: (ECDSA_P256, hashes.SHA256()),
    SECP384R1.name: ("ecdsa-p384", hashes.SHA384()),
    SECP521R1.name: ("ecdsa-p521", hashes.SHA512()),
}


@dataclass(frozen=True)
class PublicKey:
    key: Ed25519PublicKey | EllipticCurvePublicKey

    @property
    def algorithm(self) -> str:
        """Follows from the key alone: nothing in a signature can choose another one."""
        return ED25519 if isinstance(self.key, Ed25519PublicKey) else _CURVES[self.key.curve.name][0]

    @property
    def keyid(self) -> str:
        """SHA-256 (hex) of the key's DER SubjectPublicKeyInfo."""
        spki = serialization.PublicFormat.SubjectPublicKeyInfo
        return hashlib.sha256(self.key.public_bytes(serialization.Encoding.DER, spki)).hexdigest()

    @property
    def pem(self) -> str:
        """As SubjectPublicKeyInfo, PEM."""
        spki = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.key.public_bytes(serialization.Encoding.PEM, spki).decode()

    def signed(self, message: bytes, signature: bytes) -> bool:
        try:
            if isinstance(self.key, Ed25519PublicKey):
                self.key.verify(signature, message)
            else:
                self.key.verify(signature, message, ECDSA(_CURVES[self.key.curve.name][1]))
        except (InvalidSignature, ValueError):
            return False
        return True


def load_public_key(pem: str) -> PublicKey:
    """
    Raises:
        ValueError: not a PEM public key of one of these kinds.
    """
    try:
        key = serialization.load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError("not a public key in PEM") from error
    if isinstance(key, Ed25519PublicKey):
        return PublicKey(key)
    if isinstance(key, EllipticCurvePublicKey) and key.curve.name in _CURVES:
        return PublicKey(key)
    raise ValueError(f"neither {ED25519} nor {', '.join(name for name, _ in _CURVES.values())}")
