"""Where can the bytes of each missing source come from, and in which order?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from reprobuild.core.addresses import redact
from reprobuild.domain.digest import Digest
from reprobuild.domain.lock import Source
from reprobuild.domain.store_path import store_name
from reprobuild.ports import WheelLocator

PlaceKind = Literal["download-cache", "project", "wheelhouse", "index", "mirror", "url"]
Addresses = Callable[[Source], Sequence[str]]


@dataclass(frozen=True)
class Place:
    """A file on this machine, or an address to download it from."""

    kind: PlaceKind
    file: Path | None = None
    url: str = field(default="", repr=False)  # may hold a signature in its query

    @property
    def label(self) -> str:
        """How messages call it: never with user, password or query."""
        return str(self.file) if self.file is not None else redact(self.url)


@dataclass(frozen=True)
class Wanted:
    """The file to have for one source: the source itself, or the package that a seed is taken out of."""

    source: Source
    digest: Digest
    file_name: str
    size_bytes: int

    @classmethod
    def of(cls, source: Source) -> Wanted:
        if source.deb_sha256 is None or source.pool_path is None:
            return cls(source, source.sha256, store_name(source.file_name), source.size_bytes)
        # a seed's size in the lock is its package's
        name = store_name(source.pool_path.rpartition("/")[2])
        return cls(source, source.deb_sha256, name, source.size_bytes)


def cached_file(cache_dir: Path, wanted: Wanted) -> Path:
    """`files/HEX/NAME`: Nix takes a path's name from the file's name."""
    return cache_dir / "files" / wanted.digest.hex / wanted.file_name


def find_places(
    wanted: Sequence[Wanted],
    *,
    project_dir: Path,
    cache_dir: Path,
    locator: WheelLocator,
    debian_addresses: Addresses,
    data_addresses: Addresses,
    offline: bool,
    fresh: bool = False,
) -> dict[str, tuple[Place, ...]]:
    """Store path → places, best first: own downloads, project, wheelhouses, indexes and mirrors.

    Args:
        offline: places on this machine only.
        fresh: ask the indexes about wheels even where an address is known.
    """
    wheels = [one.source for one in wanted if one.source.kind in ("wheel", "tool")]
    cached = {one.source.store_path: cached_file(cache_dir, one) for one in wanted}
    if not fresh:
        wheels = [wheel for wheel in wheels if not cached[wheel.store_path].is_file()]
    located = locator.locate(wheels, offline=offline, fresh=fresh) if wheels else {}
    places: dict[str, tuple[Place, ...]] = {}
    for one in wanted:
        source, path = one.source, one.source.store_path
        own = [Place("download-cache", cached[path])] if cached[path].is_file() else []
        found = [*own, *_published(source, project_dir, located, debian_addresses, data_addresses)]
        places[path] = tuple(place for place in found if place.file is not None or not offline)
    return places


def _published(
    source: Source,
    project_dir: Path,
    located: Mapping[str, Sequence[str]],
    debian_addresses: Addresses,
    data_addresses: Addresses,
) -> list[Place]:
    match source.kind:
        case "wheel" | "tool":
            return [_place(url, "index") for url in located.get(source.file_name, ())]
        case "compiler" | "deb" | "seed":
            return [_place(url, "mirror") for url in debian_addresses(source)]
        case "data" if source.path is not None:
            file = project_dir / source.path
            return [Place("project", file)] if file.is_file() else []
        case "data":
            return [_place(url, "url") for url in data_addresses(source)]
    return []


def _place(url: str, kind: PlaceKind) -> Place:
    parts = urlsplit(url)
    if parts.scheme == "file":
        return Place("wheelhouse" if kind == "index" else kind, Path(unquote(parts.path)))
    if not parts.scheme:
        return Place(kind, Path(url))
    return Place(kind, url=url)
