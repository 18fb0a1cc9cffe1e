"""Which packages, exactly, make the base of a suite?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from reprobuild.adapters.debian.attempts import first_answer
from reprobuild.adapters.debian.cache import ArchiveCache
from reprobuild.adapters.debian.index import DebianIndex
from reprobuild.adapters.debian.keys import Keyring, shipped_keyring
from reprobuild.adapters.debian.mirrors import SNAPSHOT_FORMAT, Mirrors, package_urls
from reprobuild.adapters.debian.states import MIRROR_HINT, ArchiveStates
from reprobuild.core.deb_closure import base_closure
from reprobuild.core.deb_package import DebianBase, DebPin
from reprobuild.domain.digest import Digest
from reprobuild.errors import ContentMismatchError, SpecError
from reprobuild.ports import HttpClient


def _now() -> datetime:
    return datetime.now(UTC)


class DebianArchive:
    """Resolves a base: signature → index → packages, each checked against the one before.

    Args:
        mirrors: where to ask, best first.
        http: transport; mirrors may also have `file://` addresses.
        cache: folder for verified files; None asks for all of them each time.
        keyring: whose signatures count; the shipped keys when left out.
        clock: the present, an aware time.
    """

    def __init__(
        self,
        mirrors: Mirrors,
        http: HttpClient,
        *,
        cache: Path | None = None,
        keyring: Keyring | None = None,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._mirrors = mirrors
        self._http = http
        self._cache = ArchiveCache(cache)
        keys = keyring if keyring is not None else shipped_keyring()
        self._states = ArchiveStates(mirrors, self._http, self._cache, keys, clock)

    def resolve(
        self,
        suite: str,
        *,
        snapshot: str | None = None,
        extra_packages: Iterable[str] = (),
        architecture: str = "amd64",
    ) -> DebianBase:
        """Pin the packages of a base.

        Args:
            suite: codename.
            snapshot: `YYYYMMDDTHHMMSSZ`, a release's date, or a time that a dated archive knows; None is the
                newest state.
            extra_packages: further roots; what they need comes with them.
            architecture: Debian's word for it.
        Raises:
            SignatureError, ContentMismatchError: what mirrors gave is not what the project signed.
            ResolveError: a package, or the dated state, is not to be had.
            NetworkError: no mirror answered.
            SpecError: the snapshot is not a time.
        """
        path = f"main/binary-{architecture}/Packages.xz"
        if snapshot is None:
            release, index_xz = self._states.newest(suite, path)
        else:
            release, index_xz = self._states.dated(suite, _moment(snapshot), path)
        chosen = base_closure(DebianIndex.of_xz(index_xz), extra_packages)
        return DebianBase(
            suite=suite,
            architecture=architecture,
            release_date=f"{release.date:%Y-%m-%dT%H:%M:%SZ}",
            release_digest=release.digest,
            python_version=chosen.python_version,
            glibc_version=chosen.glibc_version,
            packages=tuple(DebPin.of(one, chosen.depends[one.name]) for one in chosen.packages),
            seed_deb=DebPin.of(chosen.seed),
            compiler_deb=DebPin.of(chosen.compiler) if chosen.compiler else None,
            host_compiler_debs=tuple(
                DebPin.of(one, chosen.depends[one.name]) for one in chosen.host_compiler
            ),
        )

    def package_urls(self, pool_path: str, snapshot: str) -> tuple[str, ...]:
        """Where a pinned package can be had, best first. The addresses need no trust: the digest decides."""
        return package_urls(self._mirrors, pool_path, _moment(snapshot))

    def fetch_package(self, pin: DebPin, snapshot: str) -> bytes:
        """A pinned package's file, checked.

        Raises:
            ContentMismatchError, NetworkError: no mirror has these bytes.
        """
        if (data := self._cache.by_digest(pin.digest)) is not None:
            return data

        def ask(url: str) -> bytes:
            data = self._http.get(url)
            if (actual := Digest.of_bytes(data)) != pin.digest:
                raise ContentMismatchError(
                    f"package {pin.name} {pin.version}: content differs from the signed index",
                    expected=pin.digest,
                    expected_from="signed package index",
                    actual=actual,
                    actual_from=url,
                    hint="use another mirror",
                )
            return data

        urls = self.package_urls(pin.pool_path, snapshot)
        data = first_answer(f"package {pin.name} {pin.version}", urls, ask, hint=MIRROR_HINT)
        self._cache.keep(data)
        return data


def _moment(snapshot: str) -> datetime:
    try:
        return datetime.strptime(snapshot, SNAPSHOT_FORMAT).replace(tzinfo=UTC)
    except ValueError as error:
        raise SpecError(
            f"snapshot {snapshot} is not a time",
            expected="YYYYMMDDTHHMMSSZ, such as 20260711T101637Z",
            actual=snapshot,
            actual_from="[base] snapshot",
            hint="write a release's date, in UTC",
        ) from error
