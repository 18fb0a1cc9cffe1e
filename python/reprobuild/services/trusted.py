"""Who signed a statement, by a trust file; refuses what is not signed as it asks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from reprobuild.errors import SignatureError, TrustFileError
from reprobuild_verify.check import verify_signatures
from reprobuild_verify.problems import RefusedError
from reprobuild_verify.trust import Trust, read_trust

Signers = Callable[[bytes, Path], tuple[str, ...]]  # envelope, its file → names of trusted keys


def trust_file(file: Path) -> Trust:
    """
    Raises:
        TrustFileError: it cannot be read, or says something that cannot be meant.
    """
    try:
        return read_trust(file)
    except RefusedError as refused:
        raise TrustFileError(str(refused), hint="docs/formats/trust.md says what is in it") from refused


def signers_by(trust: Path, now: datetime) -> Signers:
    """What checks an envelope by this trust file. It raises SignatureError where a rule does not hold.

    Raises:
        TrustFileError: as `trust_file`.
    """
    rules = trust_file(trust)

    def signers(envelope: bytes, file: Path) -> tuple[str, ...]:
        found = verify_signatures(envelope, file.name, rules, now=now)
        if found.problems:
            raise SignatureError(
                f"{file}: not signed as {trust} asks",
                details=tuple(f"{one.slug}: {one.message}" for one in found.problems),
                hint="leave --trust out to compare what it says, whoever said it",
            )
        return found.signed_by

    return signers
