"""Which of some store paths would binary caches give, in the caches' order?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from reprobuild.core.addresses import shown_address
from reprobuild.core.cache_trust import parse_key, trusted_by
from reprobuild.domain.narinfo import CacheEntry
from reprobuild.errors import NetworkError, UsageError
from reprobuild.ports import CacheReader


@dataclass(frozen=True)
class Offer:
    cache: str
    entry: CacheEntry

    @property
    def label(self) -> str:
        """The cache as messages call it, without secrets."""
        return shown_address(self.cache)

    @property
    def size_bytes(self) -> int:
        """Of what travels."""
        return self.entry.file_size_bytes or self.entry.nar_size_bytes


@dataclass(frozen=True)
class CacheAnswer:
    """What one cache has of what it was asked for.

    Args:
        unsigned: it has them too, but no trusted key has signed them.
        problem: why it did not answer.
    """

    cache: str
    offers: dict[str, Offer] = field(default_factory=dict)
    unsigned: tuple[str, ...] = ()
    problem: str = ""


class CacheOffers:
    """
    Args:
        keys: public keys that Nix trusts.
    """

    def __init__(self, reader: CacheReader, keys: Callable[[], Sequence[str]]) -> None:
        self._reader = reader
        self._keys = keys

    def ask(self, paths: Sequence[str], caches: Sequence[str]) -> tuple[CacheAnswer, ...]:
        """One answer for each cache; one that does not answer is passed over, as Nix does."""
        if not paths or not caches:
            return ()
        trusted = [parse_key(key) for key in self._keys()]
        answers = []
        for cache in dict.fromkeys(caches):
            try:
                found = self._reader.lookup(cache, paths).found
            except (NetworkError, UsageError) as error:
                answers.append(CacheAnswer(cache, problem=error.message))
                continue
            believed = {path for path, entry in found.items() if trusted_by(entry, trusted) is not None}
            offers = {path: Offer(cache, entry) for path, entry in found.items() if path in believed}
            answers.append(CacheAnswer(cache, offers, tuple(sorted(found.keys() - believed))))
        return tuple(answers)


def first_offers(answers: Sequence[CacheAnswer]) -> dict[str, Offer]:
    """Store path → where it would be taken from."""
    first: dict[str, Offer] = {}
    for answer in answers:
        for path, offer in answer.offers.items():
            first.setdefault(path, offer)
    return first
