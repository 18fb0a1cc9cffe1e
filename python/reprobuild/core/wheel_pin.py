"""One wheel as a resolver found it, on its way into the lock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reprobuild.domain.digest import Digest
from reprobuild.domain.lock import Source


@dataclass(frozen=True)
class ResolvedWheel:
    """
    Args:
        name: normalised distribution name.
        index: label of where it was found, never an address (docs/how-to/fetch.md).
        addresses: where it can be had now; not part of the lock.
        depends: normalised names of the resolved wheels that it depends on, sorted.
    """

    name: str
    version: str
    file_name: str
    sha256: Digest
    size_bytes: int
    index: str
    addresses: tuple[str, ...] = ()
    depends: tuple[str, ...] = ()

    def source(self, kind: Literal["tool", "wheel"], system: str) -> Source:
        return Source(
            kind=kind,
            name=self.name,
            version=self.version,
            system=system,
            file_name=self.file_name,
            sha256=self.sha256,
            size_bytes=self.size_bytes,
            index=self.index,
            depends=self.depends,
        )
