"""Which signed state of the archive: the newest one, or a dated one?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from reprobuild.adapters.debian.attempts import first_answer
from reprobuild.adapters.debian.cache import ArchiveCache
from reprobuild.adapters.debian.keys import Keyring
from reprobuild.adapters.debian.mirrors import (
    MIRRORS_VARIABLE,
    SNAPSHOT_FORMAT,
    SNAPSHOTS_VARIABLE,
    Mirror,
    Mirrors,
    dated_url,
    template,
)
from reprobuild.adapters.debian.release import FileEntry, Release, verify_release
from reprobuild.errors import ResolveError, SignatureError
from reprobuild.ports import HttpClient

MIRROR_HINT = f"name a mirror in [base] mirrors or in {MIRRORS_VARIABLE}"

# A dated archive shows a release some hours after its date; the first guess is nearly always right.
_SHOWN_AFTER = (timedelta(days=1), timedelta(hours=6), timedelta(days=3))


class State(NamedTuple):
    release: Release
    index_xz: bytes  # the package index, packed, checked against the release


class _Place(NamedTuple):
    base: str
    any_before: bool = False  # a dated archive, asked for its state at the very time that is wanted

    def __str__(self) -> str:
        return self.base


class ArchiveStates:
    """Finds the release and the index that belong together, at the first place which has both."""

    def __init__(
        self,
        mirrors: Mirrors,
        http: HttpClient,
        cache: ArchiveCache,
        keyring: Keyring,
        clock: Callable[[], datetime],
    ) -> None:
        self._mirrors = mirrors
        self._http = http
        self._cache = cache
        self._keyring = keyring
        self._clock = clock

    def newest(self, suite: str, index_path: str) -> State:
        """The newest state that the first answering mirror knows."""

        def ask(base: str) -> State:
            release = self._release(base, suite)
            return State(release, self._file(base, release, release.file(index_path)))

        live = [mirror.url for mirror in self._mirrors.live]
        return first_answer(f"release of {suite}", live, ask, hint=MIRROR_HINT)

    def dated(self, suite: str, wanted: datetime, index_path: str) -> State:
        """The release made at `wanted`; from dated archives else the one that was valid at that time.

        A state that the cache holds is taken without asking anybody.
        """
        if (kept := self._kept(suite, wanted, index_path)) is not None:
            return kept
        announced: list[Mirror] = []  # dated archives that verified releases name

        def ask(place: _Place) -> State:
            release = self._release(place.base, suite)
            if (uri := release.fields.get("Snapshots", "no")) != "no":
                announced.append(Mirror(template(uri), "signed release"))
            if release.date != wanted and not (place.any_before and release.date < wanted):
                raise _other_date(suite, wanted, release, place.base)
            return State(release, self._file(place.base, release, release.file(index_path)))

        def places() -> Iterator[_Place]:
            yield from (_Place(mirror.url) for mirror in self._mirrors.live)
            archives = (*self._mirrors.dated, *announced[:1])
            for archive in archives:
                yield from (_Place(dated_url(archive, wanted + later)) for later in _SHOWN_AFTER)
            for archive in archives:
                yield _Place(dated_url(archive, wanted), any_before=True)

        return first_answer(
            f"release of {suite} of {wanted:{SNAPSHOT_FORMAT}}", places(), ask, hint=MIRROR_HINT
        )

    def _release(self, base: str, suite: str) -> Release:
        url = f"{base}/dists/{suite}/InRelease"
        data = self._http.get(url)
        release = verify_release(data, suite, self._keyring, source=url, now=self._clock())
        self._cache.keep_release(suite, f"{release.date:{SNAPSHOT_FORMAT}}", data)
        return release

    def _kept(self, suite: str, wanted: datetime, index_path: str) -> State | None:
        data = self._cache.release(suite, f"{wanted:{SNAPSHOT_FORMAT}}")
        if data is None:
            return None
        try:
            release = verify_release(data, suite, self._keyring, source="cache", now=self._clock())
        except (SignatureError, ResolveError):
            return None  # damaged or no longer accepted: ask again
        index = self._cache.by_digest(release.file(index_path).digest)
        return State(release, index) if index is not None and release.date == wanted else None

    def _file(self, base: str, release: Release, entry: FileEntry) -> bytes:
        if (data := self._cache.by_digest(entry.digest)) is not None:
            return data
        dists = f"{base}/dists/{release.codename}"
        folder, _, _ = entry.path.rpartition("/")
        # by hash first: it still answers while the mirror is being updated
        by_hash = [f"{dists}/{folder}/by-hash/SHA256/{entry.digest.hex}"] if release.by_hash else []
        data = first_answer(
            f"package index of {release.codename}",
            [*by_hash, f"{dists}/{entry.path}"],
            lambda url: entry.check(self._http.get(url), url),
            hint=MIRROR_HINT,
        )
        self._cache.keep(data)
        return data


def _other_date(suite: str, wanted: datetime, release: Release, base: str) -> ResolveError:
    return ResolveError(
        f"release of {suite}: no mirror has the dated state",
        expected=f"release of {wanted:{SNAPSHOT_FORMAT}}",
        expected_from="[base] snapshot",
        actual=f"release of {release.date:{SNAPSHOT_FORMAT}}",
        actual_from=base,
        hint=f"name an archive of old states in {SNAPSHOTS_VARIABLE}, or remove [base] snapshot",
    )
