"""Signing keys as files of this user alone: `NAME.pem` (PKCS#8) and `NAME.json` (all but the secret)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from reprobuild.domain.signing_key import Algorithm, SigningKey
from reprobuild.errors import SigningKeyError
from reprobuild_verify.public_key import PublicKey

_PrivateKey = Ed25519PrivateKey | EllipticCurvePrivateKey


def key_folder() -> Path:
    """`$XDG_CONFIG_HOME/reprobuild/keys`, by default `~/.config/reprobuild/keys`."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "reprobuild" / "keys"


@dataclass(frozen=True)
class OpenKey:
    """Implements core.dsse.Signer."""

    _key: _PrivateKey

    @property
    def keyid(self) -> str:
        return PublicKey(self._key.public_key()).keyid

    def sign(self, message: bytes) -> bytes:
        if isinstance(self._key, Ed25519PrivateKey):
            return self._key.sign(message)
        return self._key.sign(message, ECDSA(hashes.SHA256()))

    @property
    def seed(self) -> bytes:
        """The 32 secret bytes of an Ed25519 key.

        Raises:
            SigningKeyError: a key of another kind.
        """
        if not isinstance(self._key, Ed25519PrivateKey):
            raise SigningKeyError(
                "Nix knows no such key",
                expected="ed25519",
                actual="ecdsa-p256",
                hint="make one with `reprobuild keys new NAME`",
            )
        return self._key.private_bytes_raw()


class FileKeyStore:
    """Implements ports.KeyStore."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def known(self) -> list[SigningKey]:
        """All keys, by name.

        Raises:
            SigningKeyError: a file is damaged.
        """
        return [self._read(file) for file in sorted(self._folder.glob("*.json"))]

    def create(self, name: str, algorithm: Algorithm, passphrase: bytes | None, created: str) -> SigningKey:
        """Make a key pair; without a passphrase the private key is not encrypted.

        Raises:
            SigningKeyError: the name is taken or none that a file can have.
        """
        private: _PrivateKey = (
            Ed25519PrivateKey.generate() if algorithm == "ed25519" else generate_private_key(SECP256R1())
        )
        public = PublicKey(private.public_key())
        try:
            key = SigningKey(
                name=name,
                algorithm=algorithm,
                keyid=public.keyid,
                public_key=public.pem,
                created=created,
                encrypted=passphrase is not None,
            )
        except ValidationError as error:
            raise SigningKeyError(
                f"{name!r} cannot be the name of a key",
                expected="lower-case letters, digits, and . _ - between them",
                actual=repr(name),
            ) from error
        pem = private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()
            if passphrase is None
            else serialization.BestAvailableEncryption(passphrase),
        )
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if (file := self._folder / f"{name}.pem").exists():
                raise SigningKeyError(
                    f"there is a key {name} already",
                    actual_from=str(self._folder),
                    hint="choose another name, or `reprobuild keys rotate` it",
                )
            _write_new(file, pem)
            self.update(key)
        except OSError as error:
            raise SigningKeyError(
                f"the key {name} cannot be written",
                actual=error.strerror,
                actual_from=str(self._folder),
                hint="keys lie in $XDG_CONFIG_HOME/reprobuild/keys: name a folder of yours by that",
            ) from error
        return key

    def update(self, key: SigningKey) -> None:
        """Write what is known of a key, but not its secret."""
        text = key.model_dump_json(by_alias=True, exclude_none=True, indent=2) + "\n"
        part = self._folder / f"{key.name}.json.part"
        part.unlink(missing_ok=True)
        _write_new(part, text.encode())
        part.replace(self._folder / f"{key.name}.json")

    def open(self, key: SigningKey, passphrase: bytes | None) -> OpenKey:
        """
        Raises:
            SigningKeyError: a wrong passphrase, a damaged file, or one that others can read.
        """
        file = self._folder / f"{key.name}.pem"
        try:
            if file.stat().st_mode & 0o077:
                raise SigningKeyError(
                    f"the private key {key.name} can be read by others",
                    expected="mode 0600",
                    actual=f"mode {file.stat().st_mode & 0o777:04o}",
                    actual_from=str(file),
                    hint=f"revoke it if others may have read it, else `chmod 600 {file}`",
                )
            private = serialization.load_pem_private_key(file.read_bytes(), passphrase)
        except (OSError, ValueError, TypeError) as error:
            raise SigningKeyError(
                f"the private key {key.name} cannot be opened",
                actual="a wrong passphrase, or a damaged file"
                if isinstance(error, ValueError)
                else str(error),
                actual_from=str(file),
                hint="give its own passphrase; a file that is lost can only come back from a copy",
            ) from error
        if not isinstance(private, Ed25519PrivateKey | EllipticCurvePrivateKey):
            raise SigningKeyError(f"{file} holds a key of another kind")
        opened = OpenKey(private)
        if opened.keyid != key.keyid:
            raise SigningKeyError(
                f"the private key {key.name} is another", expected=key.keyid, actual=opened.keyid
            )
        return opened

    def _read(self, file: Path) -> SigningKey:
        try:
            return SigningKey.model_validate_json(file.read_bytes())
        except (OSError, ValidationError) as error:
            raise SigningKeyError(
                f"{file} is not a key of ours",
                actual=str(error).splitlines()[0],
                hint="move it out of the folder, or put back a copy of it",
            ) from error


def _write_new(file: Path, data: bytes) -> None:
    """A file that nobody else could read at any moment."""
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(data)
