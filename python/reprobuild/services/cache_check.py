"""Ask a binary cache what it has of a project, and whether that is whole and signed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from reprobuild.core.cache_trust import parse_key, trusted_by
from reprobuild.domain.cache import ArchiveDigests
from reprobuild.domain.cache_report import CacheCheck, CacheFinding, CacheItem, KindCount
from reprobuild.domain.digest import Digest
from reprobuild.domain.narinfo import CacheEntry
from reprobuild.errors import NetworkError
from reprobuild.ports import CacheReader, RecordStore, Store
from reprobuild.services.build import BuildService
from reprobuild.services.cache_items import Selection, project_items
from reprobuild.services.project import Project

_AT_ONCE = 4


class CacheCheckService:
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
        records: RecordStore,
        configured_keys: Sequence[str] = (),
    ) -> None:
        self._build = build
        self._store = store
        self._reader = reader
        self._records = records
        self._configured_keys = configured_keys

    def run(
        self,
        project: Project,
        cache: str,
        wanted: Selection,
        *,
        keys: Sequence[str] = (),
        read_archives: bool = True,
    ) -> CacheCheck:
        """
        Args:
            keys: trusted besides those of Nix's configuration.
            read_archives: read and hash every archive, not only the entries.
        Raises:
            UsageError: there is no cache at this address.
            NetworkError: it does not answer.
        """
        items = list(project_items(project, wanted, self._build))
        entries, damaged = self._with_references(cache, items)
        known = self._known_digests(project, items)
        trusted = [parse_key(key) for key in (*self._configured_keys, *keys)]
        findings: list[CacheFinding] = []
        whole: list[tuple[CacheItem, CacheEntry]] = []
        for item in items:
            if item.path in damaged:
                findings.append(CacheFinding(item, "damaged", damaged[item.path]))
            elif (entry := entries.get(item.path)) is None:
                findings.append(CacheFinding(item, "missing"))
            else:
                whole.append((item, entry))
                if trusted_by(entry, trusted) is None:
                    findings.append(CacheFinding(item, "unsigned", _signers(entry)))
                if (told := known.get(item.path)) and entry.nar_digest not in told:
                    here = ", ".join(sorted(told))
                    findings.append(CacheFinding(item, "differs", f"cache {entry.nar_digest}, here {here}"))
        if read_archives:
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                read = pool.map(lambda pair: self._read(cache, *pair), whole)
                findings += [finding for finding in read if finding is not None]
        unread = sum(finding.state == "unread" for finding in findings)
        return CacheCheck(
            cache,
            tuple(_counts(items, entries)),
            tuple(findings),
            len(whole) - unread if read_archives else 0,
        )

    def _with_references(
        self, cache: str, items: list[CacheItem]
    ) -> tuple[dict[str, CacheEntry], dict[str, str]]:
        """Entries of the items and of all that they refer to; the latter are added to the items."""
        entries: dict[str, CacheEntry] = {}
        damaged: dict[str, str] = {}
        asked = {item.path for item in items}
        todo = list(asked)
        while todo:
            answer = self._reader.lookup(cache, todo)
            entries |= answer.found
            damaged |= answer.damaged
            todo = sorted({path for entry in answer.found.values() for path in entry.references} - asked)
            asked |= set(todo)
            items += [
                CacheItem("reference", path.rpartition("/")[2].partition("-")[2], path) for path in todo
            ]
        return entries, damaged

    def _known_digests(self, project: Project, items: Sequence[CacheItem]) -> Mapping[str, set[Digest]]:
        """Store path → digests that its archive had here: in the store, or else in build records."""
        paths = [item.path for item in items]
        valid = sorted(self._store.present(paths))
        known = {path: {info.nar_hash} for path, info in self._store.infos(valid).items()}
        model = project.spec.model
        for record in self._records.of_version(model.name, model.version):
            for output in record.outputs:
                if output.nar_hash is not None and output.out_path in paths:
                    known.setdefault(output.out_path, set()).add(output.nar_hash)
        return known

    def _read(self, cache: str, item: CacheItem, entry: CacheEntry) -> CacheFinding | None:
        try:
            read = self._reader.digests(cache, entry)
        except (NetworkError, ValueError) as error:
            return CacheFinding(item, "damaged", f"{entry.url}: {error}")
        if wrong := _wrong(item, entry, read):
            return CacheFinding(item, "damaged", f"{entry.url}: {wrong}")
        if read.nar_digest is None:  # what its entry says of the packed file is in no signature
            return CacheFinding(
                item, "unread", f"{entry.url}: packed with {entry.compression}, which nothing here unpacks"
            )
        return None


def _wrong(item: CacheItem, entry: CacheEntry, read: ArchiveDigests) -> str | None:
    if entry.file_digest is not None and read.file_digest != entry.file_digest:
        return f"expected {entry.file_digest} (its entry), found {read.file_digest}"
    if read.nar_digest is None:
        return None
    if read.nar_digest != entry.nar_digest:
        return f"unpacked: expected {entry.nar_digest} (its entry), found {read.nar_digest}"
    if item.source is not None:
        content = read.nar_digest if item.source.mode == "recursive" else read.content_digest
        if content != item.source.sha256:
            return f"content: expected {item.source.sha256} (reprobuild.lock), found {content}"
    return None


def _signers(entry: CacheEntry) -> str:
    names = sorted({one.partition(":")[0] for one in entry.signatures})
    return f"signed by {', '.join(names)}: none of them trusted" if names else "no signature"


def _counts(items: Sequence[CacheItem], entries: Mapping[str, CacheEntry]) -> Iterable[KindCount]:
    for kind in dict.fromkeys(item.kind for item in items):
        some = [item for item in items if item.kind == kind]
        there = [entries[item.path] for item in some if item.path in entries]
        absent = [item for item in some if item.path not in entries]
        yield KindCount(
            kind,
            len(there),
            sum(entry.nar_size_bytes for entry in there),
            len(absent),
            sum(item.size_bytes or 0 for item in absent),
        )
