"""What a fetch would do, and what it did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reprobuild.domain.lock import Source
from reprobuild.services.fetch_places import PlaceKind


@dataclass(frozen=True)
class Planned:
    """Where one source would come from."""

    source: Source
    origin: Literal["store", "nowhere", "binary-cache"] | PlaceKind
    label: str = ""  # file or address, without secrets
    download_bytes: int = 0  # over the network; 0 for what lies on this machine


@dataclass(frozen=True)
class FetchPlan:
    items: tuple[Planned, ...]
    caches: tuple[str, ...]  # binary caches that are asked before everything else

    @property
    def download_bytes(self) -> int:
        return sum(item.download_bytes for item in self.items)

    @property
    def to_fetch(self) -> tuple[Planned, ...]:
        """What is not in the store yet."""
        return tuple(item for item in self.items if item.origin != "store")

    @property
    def nowhere(self) -> tuple[Source, ...]:
        return tuple(item.source for item in self.items if item.origin == "nowhere")


@dataclass(frozen=True)
class Fetched:
    source: Source
    origin: Literal["binary-cache"] | PlaceKind
    label: str


@dataclass(frozen=True)
class FetchReport:
    fetched: tuple[Fetched, ...]
    reused: tuple[Source, ...]  # were in the store
    downloaded_bytes: int  # over the network, by us
    seconds: float

    @property
    def size_bytes(self) -> int:
        """Of everything that came into the store."""
        return sum(one.source.size_bytes for one in self.fetched)
