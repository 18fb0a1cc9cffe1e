"""Whose signature does a suite's release need?

Policy: a release of suite S counts when at least one valid signature was made by a key that the project made
for S. Releases also carry signatures by the keys of the suites before and after; those alone do not count, so
that a key which leaves service cannot vouch for a suite that it was not made for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from pysequoia import Cert

from reprobuild.errors import ResolveError

# suite → key file → fingerprint of its primary key; origin: data/debian-archive-keys/README.md
SHIPPED: Mapping[str, Mapping[str, str]] = {
    "bookworm": {
        "bookworm-automatic": "b8b80b5b623eab6ad8775c45b7c5d7d6350947f8",
        "bookworm-stable": "4d64fec119c2029067d6e791f8d2585b8783d481",
    },
    "trixie": {
        "trixie-automatic": "04b54c3cdca79751b16bc6b5225629df75b188bd",
        "trixie-stable": "41587f7db8c774bccf131416762f67a0b2c39de4",
    },
}


@dataclass(frozen=True)
class Keyring:
    """Suite → the certificates that may vouch for it."""

    by_suite: Mapping[str, tuple[Cert, ...]]

    def certs(self, suite: str) -> tuple[Cert, ...]:
        """
        Raises:
            ResolveError: no key of this suite is known.
        """
        try:
            return self.by_suite[suite]
        except KeyError:
            raise ResolveError(
                f"suite {suite} is not supported: no key of it is shipped",
                expected=" or ".join(sorted(self.by_suite)),
                expected_from="keys that ship with reprobuild",
                actual=suite,
                hint='set [base] suite = "bookworm" or "trixie"',
            ) from None

    def fingerprints(self, suite: str) -> tuple[str, ...]:
        return tuple(cert.fingerprint for cert in self.certs(suite))


@cache
def shipped_keyring() -> Keyring:
    """The public keys in reprobuild/data/debian-archive-keys."""
    folder = resources.files("reprobuild") / "data" / "debian-archive-keys"
    return Keyring(
        {
            suite: tuple(Cert.from_bytes((folder / f"{name}.asc").read_bytes()) for name in files)
            for suite, files in SHIPPED.items()
        }
    )
