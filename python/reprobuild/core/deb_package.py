"""What is known about a Debian package: as the index says, and as the lock pins it."""

from __future__ import annotations

import posixpath
from typing import NamedTuple, Protocol

from pydantic import PositiveInt

from reprobuild.domain.digest import Digest
from reprobuild.domain.value import Value


class Relation(NamedTuple):
    """`libc6 (>= 2.36)`: a package, real or virtual, and maybe a bound on its version."""

    name: str
    operator: str = ""  # << <= = >= >>, or empty for any version
    version: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.operator} {self.version})" if self.operator else self.name


Alternatives = tuple[Relation, ...]  # any one of them will do; the first is preferred


class DebPackage(Value):
    """One stanza of a package index."""

    name: str
    version: str
    architecture: str
    pool_path: str  # below the archive's root
    digest: Digest  # of the .deb file
    size_bytes: PositiveInt
    needs: tuple[Alternatives, ...] = ()  # Pre-Depends, then Depends
    provides: tuple[Relation, ...] = ()
    essential: bool = False


class PackageIndex(Protocol):
    """One suite's packages. Answers must not depend on the order of the stanzas."""

    def get(self, name: str) -> DebPackage | None:
        """The newest version of a real package."""
        ...

    def providers(self, name: str) -> tuple[DebPackage, ...]:
        """Packages that provide a virtual package, sorted by name."""
        ...


class DebPin(Value):
    """A package file by content."""

    name: str
    version: str
    architecture: str
    pool_path: str
    digest: Digest
    size_bytes: PositiveInt
    depends: tuple[str, ...] = ()  # names of packages that came with it

    @property
    def file_name(self) -> str:
        """As published; make it a store name with `store_name`."""
        return posixpath.basename(self.pool_path)

    @classmethod
    def of(cls, package: DebPackage, depends: tuple[str, ...] = ()) -> DebPin:
        return cls(**package.model_dump(include=set(cls.model_fields)), depends=depends)


class DebianBase(Value):
    """The packages that make a base, and the signed archive state that they were read in."""

    suite: str
    architecture: str  # Debian's word: amd64, arm64
    release_date: str  # ISO 8601, UTC: 2026-07-11T10:16:37Z
    release_digest: Digest  # of the signed text, which is the archive's `Release` file
    python_version: str  # major.minor
    glibc_version: str  # upstream version; what wheels' manylinux tags are compared with
    packages: tuple[DebPin, ...]  # sorted by name
    seed_deb: DebPin  # busybox-static, which unpacks the others; not part of `packages`
    compiler_deb: DebPin | None = (
        None  # tcc, for builds that compile; not part of `packages`; None: not in the suite
    )

    host_compiler_debs: tuple[DebPin, ...] = ()  # g++ with all that it needs; empty: not in the suite

    @property
    def snapshot(self) -> str:
        """The release date as `YYYYMMDDTHHMMSSZ`."""
        return self.release_date.replace("-", "").replace(":", "")

    @property
    def size_bytes(self) -> int:
        return sum(package.size_bytes for package in self.packages)
