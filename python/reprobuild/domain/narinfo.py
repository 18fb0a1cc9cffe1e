"""One entry of a binary cache, `HASH.narinfo`: what the cache says of a store path.

Source: libstore/nar-info.cc; Nix manual, "Binary cache" and "Store path signature".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reprobuild.domain.digest import Digest
from reprobuild.domain.store_path import STORE_DIR, Mode, fixed_output_path


@dataclass(frozen=True)
class CacheEntry:
    path: str
    url: str  # of the archive, relative to the cache
    compression: str
    file_digest: Digest | None  # of the archive as it lies there
    file_size_bytes: int | None
    nar_digest: Digest
    nar_size_bytes: int
    references: tuple[str, ...]  # store paths, sorted
    signatures: tuple[str, ...]  # `NAME:BASE64`
    content_address: str | None  # such as `fixed:r:sha256:NIX32`

    @property
    def fingerprint(self) -> bytes:
        """What signatures are made over."""
        references = ",".join(self.references)
        words = ("1", self.path, f"sha256:{self.nar_digest.nix32}", str(self.nar_size_bytes), references)
        return ";".join(words).encode()

    @property
    def addresses_itself(self) -> bool:
        """Whether the path follows from its content alone, so that no signature is needed to believe in it.

        Nix computes the content's digest itself when it takes such a path.
        """
        kind, _, digest = (self.content_address or "").rpartition(":sha256:")
        if kind not in ("fixed", "fixed:r") or self.references:
            return False
        mode: Mode = "recursive" if kind == "fixed:r" else "flat"
        name = self.path.rpartition("/")[2].partition("-")[2]
        try:
            return self.path == fixed_output_path(name, Digest.of_nix32(digest), mode)
        except ValueError:
            return False


def entry_name(path: str) -> str:
    """The file that a cache keeps its entry in."""
    return f"{path.rpartition('/')[2].partition('-')[0]}.narinfo"


def parse_narinfo(text: str) -> CacheEntry:
    """
    Raises:
        ValueError: a key is missing, or a value is none of its kind.
    """
    fields: dict[str, str] = {}
    signatures = []
    for line in text.splitlines():
        key, mark, value = line.partition(": ")
        if key == "Sig":
            signatures.append(value)
        elif not mark and not line.endswith(":"):
            raise ValueError(f"not a line of a narinfo: {line[:60]!r}")
        else:
            fields[key.removesuffix(":")] = value
    if missing := [key for key in ("StorePath", "URL", "NarHash", "NarSize") if not fields.get(key)]:
        raise ValueError(f"no {missing[0]}")
    if not fields["StorePath"].startswith(f"{STORE_DIR}/"):
        raise ValueError(f"a store path of another store: {fields['StorePath']}")
    return CacheEntry(
        path=fields["StorePath"],
        url=fields["URL"],
        compression=fields.get("Compression", "bzip2"),  # as old caches left out
        file_digest=_digest(fields["FileHash"]) if fields.get("FileHash") else None,
        file_size_bytes=int(fields["FileSize"]) if fields.get("FileSize") else None,
        nar_digest=_digest(fields["NarHash"]),
        nar_size_bytes=int(fields["NarSize"]),
        references=_paths(fields.get("References", "").split()),
        signatures=tuple(signatures),
        content_address=fields.get("CA"),
    )


def _paths(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(f"{STORE_DIR}/{name}" for name in names))


def _digest(text: str) -> Digest:
    algorithm, mark, value = text.partition(":")
    if mark and algorithm == "sha256" and len(value) == 52:
        return Digest.of_nix32(value)
    return Digest(text)
