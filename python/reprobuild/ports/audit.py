"""What is kept and read for audits: records, licences, keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from reprobuild.domain.digest import Digest
    from reprobuild.domain.record import BuildRecord
    from reprobuild.domain.signing_key import Algorithm, SigningKey


class RecordStore(Protocol):
    """Build records on this machine."""

    def write(self, record: BuildRecord) -> Path: ...
    def of_version(self, model: str, version: str) -> list[BuildRecord]:
        """Records of one version of a model, oldest first."""
        ...

    def files_of_version(self, model: str, version: str) -> dict[Path, BuildRecord]:
        """The same, by their files."""
        ...

    def of_model(self, model: str) -> list[BuildRecord]:
        """The newest records of a model, of all versions, oldest first."""
        ...

    def all(self) -> Iterator[tuple[Path, BuildRecord | None]]:
        """Every record with its file, oldest first; None: the file cannot be read as one."""
        ...

    def keep_lock(self, content: bytes) -> None:
        """Keep a lock file as built from, once."""
        ...

    def lock(self, digest: Digest) -> bytes | None:
        """The kept lock file with this digest."""
        ...


class LicenceTexts(Protocol):
    """What packages themselves say about their licence, read out of their files."""

    def of_wheel(self, file: Path) -> tuple[str, Sequence[str]] | None:
        """METADATA of a wheel and its licence files; None where the file cannot be read as a wheel."""
        ...

    def of_deb(self, file: Path, package: str) -> tuple[str | None, str | None]:
        """A package's copyright file, or else the package whose file it is a link to; neither where it has none."""
        ...


class ForeignComparer(Protocol):
    """A program that understands more file formats than we do."""

    def explain(self, first: Path, second: Path) -> str | None:
        """What differs between two files, shortened; None where it is not installed or has nothing to say."""
        ...


class OpenedKey(Protocol):
    """A private key that is open for signing."""

    @property
    def keyid(self) -> str: ...

    @property
    def seed(self) -> bytes:
        """The 32 secret bytes of an Ed25519 key.

        Raises:
            SigningKeyError: a key of another kind.
        """
        ...

    def sign(self, message: bytes) -> bytes: ...


class StoreSigner(Protocol):
    """Nix's own signatures, which its store keeps with a path."""

    def sign(self, path: str, secret_key: str) -> None:
        """Sign a store path and all that it refers to.

        Args:
            secret_key: as `nix key generate-secret` writes it.
        """
        ...


class KeyStore(Protocol):
    def known(self) -> list[SigningKey]:
        """All keys, by name."""
        ...

    def create(self, name: str, algorithm: Algorithm, passphrase: bytes | None, created: str) -> SigningKey:
        """
        Raises:
            SigningKeyError: the name is taken or none that a key can have.
        """
        ...

    def update(self, key: SigningKey) -> None:
        """Write what is known of a key, but not its secret."""
        ...

    def open(self, key: SigningKey, passphrase: bytes | None) -> OpenedKey:
        """
        Raises:
            SigningKeyError: a wrong passphrase, a damaged file, or one that others can read.
        """
        ...
