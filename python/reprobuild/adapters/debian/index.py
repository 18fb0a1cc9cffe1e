"""What does a suite's package index say about a package?"""

from __future__ import annotations

import lzma
from functools import cached_property

from reprobuild.adapters.debian.relations import parse_relations
from reprobuild.core import deb_version
from reprobuild.core.deb_package import DebPackage
from reprobuild.domain.digest import Digest
from reprobuild.errors import ResolveError


class DebianIndex:
    """A `Packages` file: tens of thousands of stanzas, of which a few dozen are ever read.

    Only names are looked at beforehand; a stanza is parsed when it is asked for (0.2 s for 60,000, unpacking
    not counted).

    Args:
        text: the unpacked file, already checked against the signed release.
    Raises:
        ResolveError: not a package index.
    """

    def __init__(self, text: bytes) -> None:
        self._stanzas = [stanza for stanza in text.split(b"\n\n") if stanza.strip()]
        by_name: dict[bytes, list[bytes]] = {}
        for stanza in self._stanzas:
            if not stanza.startswith(b"Package: "):
                raise _unreadable("a stanza that starts with Package:", stanza[:60])
            by_name.setdefault(stanza[9:].split(b"\n", 1)[0].strip(), []).append(stanza)
        self._by_name = by_name

    @classmethod
    def of_xz(cls, data: bytes) -> DebianIndex:
        try:
            return cls(lzma.decompress(data))
        except lzma.LZMAError as error:
            raise _unreadable("an xz file", str(error).encode()) from error

    def __len__(self) -> int:
        return len(self._by_name)

    def get(self, name: str) -> DebPackage | None:
        packages = [_package(stanza) for stanza in self._by_name.get(name.encode(), ())]
        newest: DebPackage | None = None
        for package in packages:
            if newest is None or deb_version.compare(package.version, newest.version) > 0:
                newest = package
        return newest

    def providers(self, name: str) -> tuple[DebPackage, ...]:
        word = name.encode()
        names = {stanza[9:].split(b"\n", 1)[0].strip() for stanza in self._providing if word in stanza}
        packages = [package for one in sorted(names) if (package := self.get(one.decode())) is not None]
        return tuple(p for p in packages if any(offered.name == name for offered in p.provides))

    @cached_property
    def _providing(self) -> list[bytes]:
        return [stanza for stanza in self._stanzas if b"\nProvides: " in stanza]


def _package(stanza: bytes) -> DebPackage:
    fields: dict[str, str] = {}
    for line in stanza.decode("utf-8").splitlines():
        if not line.startswith((" ", "\t")):  # none of the fields that we read runs over a line's end
            key, _, value = line.partition(":")
            fields[key] = value.strip()
    try:
        return DebPackage(
            name=fields["Package"],
            version=fields["Version"],
            architecture=fields["Architecture"],
            pool_path=fields["Filename"],
            digest=Digest(fields["SHA256"]),
            size_bytes=int(fields["Size"]),
            needs=parse_relations(fields.get("Pre-Depends", "")) + parse_relations(fields.get("Depends", "")),
            provides=tuple(group[0] for group in parse_relations(fields.get("Provides", ""))),
            essential=fields.get("Essential") == "yes",
        )
    except (KeyError, ValueError) as error:
        raise _unreadable(f"a complete stanza of {fields.get('Package')}", str(error).encode()) from error


def _unreadable(expected: str, actual: bytes) -> ResolveError:
    return ResolveError(
        "package index cannot be read",
        expected=expected,
        actual=actual.decode("utf-8", "replace"),
        actual_from="package index",
        hint="report this together with the suite's name",
    )
