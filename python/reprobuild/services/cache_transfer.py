"""Carry a project's sources and outputs to a binary cache, or from one into the store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reprobuild.core.addresses import shown_address
from reprobuild.core.cache_trust import parse_key, trusted_by
from reprobuild.domain.cache_report import CacheItem, CacheTransfer
from reprobuild.domain.narinfo import CacheEntry
from reprobuild.errors import NotAResultError, SignatureError, SourcesMissingError, UsageError
from reprobuild.ports import CacheCopier, CacheReader, Store
from reprobuild.services.build import BuildService
from reprobuild.services.cache_items import Selection, project_items
from reprobuild.services.project import Project

_SHOWN = 10


class CacheTransferService:
    """
    Args:
        configured_keys: public keys that Nix's configuration trusts.
    """

    def __init__(
        self,
        *,
        build: BuildService,
        store: Store,
        reader: CacheReader,
        copier: CacheCopier,
        configured_keys: Sequence[str] = (),
    ) -> None:
        self._build = build
        self._store = store
        self._reader = reader
        self._copier = copier
        self._configured_keys = configured_keys

    def push(
        self,
        project: Project,
        cache: str,
        wanted: Selection,
        *,
        secret_key: Path | None,
        compression: str = "xz",
    ) -> CacheTransfer:
        """Copy what the project has; outputs go with all that they refer to.

        Args:
            secret_key: signs what is sent, and what is there without this signature.
            compression: of outputs; sources are packed files already and stay as they are.
        Raises:
            SourcesMissingError: a source is not in the store.
            NotAResultError: outputs are asked for and the model is not built.
        """
        if secret_key is not None and not secret_key.is_file():
            raise UsageError(f"{secret_key}: no such key", hint="make one with `nix key generate-secret`")
        items = project_items(project, wanted, self._build)
        valid = self._store.present([item.path for item in items])
        here = [item for item in items if item.path in valid]
        self._require(project, [item for item in items if item.path not in valid])
        known = self._known(cache, here)
        for kind_is_output in (False, True):
            some = [item.path for item in here if (item.kind == "output") == kind_is_output]
            if some:
                method = compression if kind_is_output else "none"
                self._copier.push(cache, some, compression=method, secret_key=secret_key)
        return CacheTransfer(
            cache,
            moved=tuple(item for item in here if item.path not in known),
            present=tuple(item for item in here if item.path in known),
        )

    def _known(self, cache: str, items: Sequence[CacheItem]) -> set[str]:
        """Paths that the cache has; a cache that is to be made has none."""
        try:
            return set(self._reader.lookup(cache, [item.path for item in items]).found)
        except UsageError:
            return set()

    def _require(self, project: Project, absent: Sequence[CacheItem]) -> None:
        """Wheels and environment may have gone with the garbage: what is left of a built model is enough."""
        if sources := [item for item in absent if item.source is not None]:
            raise SourcesMissingError(
                f"{len(sources)} sources are not in the store, so they cannot be pushed",
                details=_shown(sources),
                hint="run `reprobuild fetch`",
            )
        if any(item.label == "model" for item in absent):
            raise NotAResultError(
                f"{project.title} is not built, so its outputs cannot be pushed",
                hint="run `reprobuild nix build`, or push with --sources alone",
            )

    def pull(
        self,
        project: Project,
        cache: str,
        wanted: Selection,
        *,
        keys: Sequence[str] = (),
        check_signatures: bool = True,
    ) -> CacheTransfer:
        """Take what the store lacks and the cache has.

        Args:
            keys: trusted besides those of Nix's configuration.
            check_signatures: False: take also what no trusted key has signed.
        Raises:
            SignatureError: an output is signed by no trusted key; nothing was taken.
            ContentMismatchError: an archive has other content than its entry says.
        """
        items = project_items(project, wanted, self._build)
        valid = self._store.present([item.path for item in items])
        absent = [item for item in items if item.path not in valid]
        entries = self._reader.lookup(cache, [item.path for item in absent]).found if absent else {}
        offered = [item for item in absent if item.path in entries]
        if check_signatures:
            self._require_trust(cache, offered, entries, keys)
        if offered:
            paths = [item.path for item in offered]
            self._copier.pull(cache, paths, keys=keys, check_signatures=check_signatures)
        return CacheTransfer(
            cache,
            moved=tuple(offered),
            present=tuple(item for item in items if item.path in valid),
            missing=tuple(item for item in absent if item.path not in entries),
        )

    def _require_trust(
        self, cache: str, offered: Sequence[CacheItem], entries: dict[str, CacheEntry], keys: Sequence[str]
    ) -> None:
        trusted = [parse_key(key) for key in (*self._configured_keys, *keys)]
        refused = [item for item in offered if trusted_by(entries[item.path], trusted) is None]
        if not refused:
            return
        signers = {one.partition(":")[0] for item in refused for one in entries[item.path].signatures}
        raise SignatureError(
            f"{len(refused)} of {len(offered)} paths are signed by no trusted key, so nothing was taken",
            expected=f"a signature by {', '.join(key.name for key in trusted) or 'a trusted key'}",
            expected_from="--trusted-key, REPROBUILD_TRUSTED_KEYS, Nix's trusted-public-keys",
            actual=f"signatures by {', '.join(sorted(signers))}" if signers else "no signature",
            actual_from=shown_address(cache),
            details=_shown(refused),
            hint="name the key with --trusted-key, or take them unsigned with --no-check-signatures",
        )


def _shown(items: Sequence[CacheItem]) -> tuple[str, ...]:
    rows = [f"{item.label}  {item.path}" for item in items[:_SHOWN]]
    return (*rows, f"and {len(items) - _SHOWN} more") if len(items) > _SHOWN else tuple(rows)
