"""Is this the suite's signed release, and which files does it vouch for?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pysequoia

from reprobuild.adapters.debian.keys import Keyring
from reprobuild.domain.digest import Digest
from reprobuild.errors import ContentMismatchError, ResolveError, SignatureError


@dataclass(frozen=True)
class FileEntry:
    """A file that the release vouches for."""

    path: str  # below dists/SUITE/
    digest: Digest
    size_bytes: int

    def check(self, data: bytes, source: str) -> bytes:
        """The same bytes, when they are the ones that the release names.

        Raises:
            ContentMismatchError: another size or another digest.
        """
        actual = Digest.of_bytes(data)
        if len(data) != self.size_bytes or actual != self.digest:
            raise ContentMismatchError(
                f"package index {self.path}: content differs from the signed release",
                expected=f"{self.digest} ({self.size_bytes} bytes)",
                expected_from="signed release",
                actual=f"{actual} ({len(data)} bytes)",
                actual_from=source,
                hint="try again later, the mirror may be in the middle of an update; or use another mirror",
            )
        return data


@dataclass(frozen=True)
class Release:
    """A verified release. Made by `verify_release` only."""

    codename: str
    date: datetime  # UTC
    valid_until: datetime | None
    digest: Digest  # of the signed text: the same as that of the archive's `Release` file
    signed_by: tuple[str, ...]  # fingerprints of the keys, sorted
    fields: Mapping[str, str] = field(repr=False)
    _files: Mapping[str, tuple[str, int]] = field(repr=False)

    @property
    def by_hash(self) -> bool:
        """Whether files may also be asked for by their digest."""
        return self.fields.get("Acquire-By-Hash", "") == "yes"

    def file(self, path: str) -> FileEntry:
        """
        Raises:
            ResolveError: the release does not name this file.
        """
        if path not in self._files:
            raise ResolveError(
                f"release of {self.codename} has no {path}",
                expected=path,
                actual=f"{len(self._files)} other files",
                actual_from=f"signed release of {self.date:%Y-%m-%d}",
                hint="take a suite and an architecture that the archive carries",
            )
        digest, size_bytes = self._files[path]
        return FileEntry(path, Digest(digest), size_bytes)


def verify_release(data: bytes, suite: str, keyring: Keyring, *, source: str, now: datetime) -> Release:
    """Check an `InRelease` file; nothing of it is read before its signature is found good.

    Args:
        data: the file as it came.
        suite: the codename that was asked for.
        source: where it came from, for messages.
        now: an aware time, compared with `Valid-Until` where there is one.
    Raises:
        SignatureError: not signed, changed after signing, or not signed by a key of this suite.
        ResolveError: signed, but for another suite, or no longer valid.
    """
    certs = keyring.certs(suite)
    try:
        # the store is asked for all signers' keys: handing out ours only makes others' signatures not count
        result = pysequoia.verify(data, store=lambda _ids: list(certs))
    except (RuntimeError, ValueError) as error:
        raise _unsigned(suite, keyring, source, str(error).split("\n", 1)[0]) from None
    signers = {sig.certificate.lower() for sig in result.valid_sigs} & set(keyring.fingerprints(suite))
    if not signers or result.bytes is None:
        raise _unsigned(suite, keyring, source, "no signature by one of these keys")
    # as the archive's `Release` file: whether the last line's end is signed depends on the signing tool
    text = result.bytes.rstrip(b"\n") + b"\n"
    return _parse(text, suite, tuple(sorted(signers)), source, now)


def _unsigned(suite: str, keyring: Keyring, source: str, reason: str) -> SignatureError:
    return SignatureError(
        f"release of {suite}: no valid signature by a key of this suite",
        expected="signature by " + " or ".join(keyring.fingerprints(suite)),
        expected_from=f"keys of {suite} that ship with reprobuild",
        actual=reason,
        actual_from=source,
        hint="use another mirror; a proxy or captive portal may have answered in its place",
    )


def _parse(text: bytes, suite: str, signers: tuple[str, ...], source: str, now: datetime) -> Release:
    fields, files = _read(text.decode("utf-8"))
    codename = fields.get("Codename", "(none)")
    if codename != suite:
        raise ResolveError(
            f"release of {suite}: the mirror serves another suite",
            expected=suite,
            expected_from="[base] suite",
            actual=codename,
            actual_from=source,
            hint="use another mirror",
        )
    try:
        date = parsedate_to_datetime(fields["Date"]).astimezone(UTC)
        until = fields.get("Valid-Until")
        valid_until = parsedate_to_datetime(until).astimezone(UTC) if until else None
    except (KeyError, ValueError) as error:
        raise ResolveError(
            f"release of {suite}: its date cannot be read",
            expected="Date and Valid-Until as in RFC 5322",
            actual=str(error),
            actual_from=source,
            hint="use another mirror",
        ) from error
    if valid_until is not None and valid_until < now:
        raise ResolveError(
            f"release of {suite}: no longer valid",
            expected=f"valid at {now:%Y-%m-%d %H:%M} UTC",
            expected_from="this host's clock",
            actual=f"valid until {valid_until:%Y-%m-%d %H:%M} UTC",
            actual_from=source,
            hint="check the clock, or use a mirror that is kept up to date",
        )
    return Release(codename, date, valid_until, Digest.of_bytes(text), signers, fields, files)


def _read(text: str) -> tuple[dict[str, str], dict[str, tuple[str, int]]]:
    """Header fields, and path → (hex digest, bytes) of the SHA256 table."""
    fields: dict[str, str] = {}
    files: dict[str, tuple[str, int]] = {}
    table = ""
    for line in text.splitlines():
        if line.startswith(" "):
            if table == "SHA256" and len(parts := line.split()) == 3:
                files[parts[2]] = (parts[0], int(parts[1]))
        else:
            table, _, value = line.partition(":")
            fields[table] = value.strip()
    return fields, files
