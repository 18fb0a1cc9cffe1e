"""What goes to a binary cache, what is taken from it, and what a plan and a build make of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from reprobuild.domain.cache import ArchiveDigests, CacheLookup
from reprobuild.domain.cache_report import CacheItem
from reprobuild.domain.digest import Digest
from reprobuild.domain.narinfo import CacheEntry
from reprobuild.errors import NetworkError, NotAResultError, SignatureError, SourcesMissingError, UsageError
from reprobuild.services.build import BuildRequest
from reprobuild.services.cache_check import CacheCheckService
from reprobuild.services.cache_items import Selection, project_items
from reprobuild.services.cache_offers import CacheOffers, first_offers
from reprobuild.services.cache_transfer import CacheTransferService

from .build_fakes import World
from .test_binary_cache import GOLDEN, OUTPUT, entry

KEY = (GOLDEN / "golden-1.public").read_text().strip()
ARCHIVE = b"archive"


@dataclass
class Cache:
    """ports.CacheReader and ports.CacheCopier over entries in memory; every path is believed that is in `trusted`."""

    world: World
    has: dict[str, CacheEntry] = field(default_factory=dict)
    archives: dict[str, bytes] = field(default_factory=dict)
    damaged: dict[str, str] = field(default_factory=dict)
    silent: frozenset[str] = frozenset()
    pushed: list[tuple[list[str], str]] = field(default_factory=list)
    pulled: list[str] = field(default_factory=list)

    def put(self, path: str, *, content: str | None = None, references: Sequence[str] = ()) -> None:
        """Add a path; `content` is what makes it believed without a signature."""
        self.has[path] = replace(
            entry(OUTPUT),
            path=path,
            url=path.rpartition("/")[2],
            nar_digest=Digest.of_bytes(path.encode()),
            file_digest=Digest.of_bytes(ARCHIVE),
            references=tuple(references),
            signatures=(),
            content_address=content,
        )

    def lookup(self, cache: str, paths: Iterable[str]) -> CacheLookup:
        if cache in self.silent:
            raise NetworkError(f"{cache}: no answer")
        if cache == "empty":
            raise UsageError("empty: no binary cache")
        asked = set(paths)
        return CacheLookup(
            {path: one for path, one in self.has.items() if path in asked},
            {path: why for path, why in self.damaged.items() if path in asked},
        )

    def digests(self, cache: str, one: CacheEntry) -> ArchiveDigests:
        if one.path not in self.archives:
            raise NetworkError(f"{one.url}: 404")
        found = self.archives[one.path]
        same = found == ARCHIVE
        if one.compression == "zstd":  # as where nothing unpacks it
            return ArchiveDigests(Digest.of_bytes(found), len(found), None, None)
        nar = one.nar_digest if same else Digest.of_bytes(b"other")
        source = next((item for item in sources(self.world) if item.path == one.path), None)
        content = source.source.sha256 if source is not None and source.source is not None else None
        return ArchiveDigests(Digest.of_bytes(found), len(found), nar, content)

    def push(self, cache: str, paths: Sequence[str], *, compression: str, secret_key: Path | None) -> None:
        self.pushed.append((list(paths), compression))

    def pull(self, cache: str, paths: Sequence[str], *, keys: Sequence[str], check_signatures: bool) -> None:
        self.pulled += paths


def sources(world: World) -> tuple[CacheItem, ...]:
    return project_items(world.project(), Selection(outputs=False), world.service())


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def cache(world: World) -> Cache:
    return Cache(world)


def transfer(world: World, cache: Cache) -> CacheTransferService:
    return CacheTransferService(
        build=world.service(), store=world, reader=cache, copier=cache, configured_keys=[KEY]
    )


def paths(world: World) -> dict[str, str]:
    return {item.label: item.path for item in project_items(world.project(), Selection(), world.service())}


def test_sources_stay_as_they_are_and_outputs_are_packed(world: World, cache: Cache) -> None:
    world.valid = set(paths(world).values())
    done = transfer(world, cache).push(world.project(), "empty", Selection(), secret_key=None)
    (first, how), (second, packed) = cache.pushed
    assert (len(first), how, packed) == (1, "none", "xz")
    assert world.drv("digits-1.0.0").out_path in second
    assert len(done.moved) == len(first) + len(second) and done.present == ()


def test_what_is_left_of_a_built_model_is_enough_to_push(world: World, cache: Cache) -> None:
    all_of_it = paths(world)
    world.valid = {path for label, path in all_of_it.items() if label not in ("wheel-numpy", "environment")}
    cache.put(all_of_it["model"])
    done = transfer(world, cache).push(world.project(), "there", Selection(), secret_key=None)
    assert [item.label for item in done.present] == ["model"]
    assert "wheel-numpy" not in [item.label for item in done.moved]


def test_nothing_is_pushed_where_something_is_missing(world: World, cache: Cache, tmp_path: Path) -> None:
    service, project = transfer(world, cache), world.project()
    with pytest.raises(SourcesMissingError, match="1 sources are not in the store"):
        service.push(project, "empty", Selection(), secret_key=None)
    with pytest.raises(NotAResultError, match="not built"):
        service.push(project, "empty", Selection(sources=False), secret_key=None)
    with pytest.raises(UsageError, match="no such key"):
        service.push(project, "empty", Selection(), secret_key=tmp_path / "none")
    assert cache.pushed == []


def test_a_pull_takes_what_is_lacking_and_says_what_is_not_there(world: World, cache: Cache) -> None:
    all_of_it = paths(world)
    world.valid = {all_of_it["base"]}
    cache.put(all_of_it["model"])
    done = transfer(world, cache).pull(world.project(), "there", Selection(), check_signatures=False)
    assert cache.pulled == [all_of_it["model"]]
    assert [item.label for item in done.present] == ["base"]
    assert {"data rows", "train"} <= {item.label for item in done.missing}


def test_a_pull_refuses_what_no_trusted_key_has_signed(world: World, cache: Cache) -> None:
    cache.put(paths(world)["model"])
    with pytest.raises(SignatureError) as refused:
        transfer(world, cache).pull(world.project(), "https://user:secret@there/c?x=1", Selection())
    assert refused.value.message.startswith("1 of 1 paths are signed by no trusted key")
    assert refused.value.actual_from == "https://there/c"
    assert cache.pulled == []


def check(world: World, cache: Cache, *, read: bool = True) -> set[tuple[str, str]]:
    service = CacheCheckService(build=world.service(), store=world, reader=cache, records=world)
    found = service.run(world.project(), "there", Selection(), read_archives=read)
    return {(finding.state, finding.item.label) for finding in found.findings}


def test_a_check_follows_references(world: World, cache: Cache) -> None:
    lost, kept = f"/nix/store/{'l' * 32}-lost", f"/nix/store/{'k' * 32}-kept"
    for path in paths(world).values():
        cache.put(path, references=[kept])
    cache.put(kept, references=[kept, lost])
    assert {finding for finding in check(world, cache, read=False) if finding[0] == "missing"} == {
        ("missing", "lost")
    }


def test_a_check_says_what_is_wrong_with_each(world: World, cache: Cache) -> None:
    all_of_it = paths(world)
    for label, path in all_of_it.items():
        if label != "prepare":
            cache.put(path)
            cache.archives[path] = ARCHIVE
    cache.archives[all_of_it["model"]] = b"damaged"
    del cache.archives[all_of_it["base"]]
    cache.has.pop(all_of_it["environment"])
    cache.damaged[all_of_it["environment"]] = "not a line"
    world.valid = {all_of_it["train"]}
    world.nar_hashes[all_of_it["train"]] = Digest.of_bytes(b"built here")
    assert {finding for finding in check(world, cache) if finding[0] != "unsigned"} == {
        ("missing", "prepare"),
        ("damaged", "model"),
        ("damaged", "base"),
        ("damaged", "environment"),
        ("differs", "train"),
    }


def test_an_archive_that_nobody_looked_into_is_not_called_whole(world: World, cache: Cache) -> None:
    """Its entry may lack a FileHash, or have one that fits: no signature covers it."""
    all_of_it = paths(world)
    for path in all_of_it.values():
        cache.put(path)
        cache.archives[path] = ARCHIVE
    model, train = all_of_it["model"], all_of_it["train"]
    cache.has[model] = replace(cache.has[model], compression="zstd")
    cache.has[train] = replace(cache.has[train], compression="zstd", file_digest=None)
    service = CacheCheckService(build=world.service(), store=world, reader=cache, records=world)
    found = service.run(world.project(), "there", Selection())
    assert {one.item.label for one in found.findings if one.state == "unread"} == {"model", "train"}
    assert found.archives_read == len(all_of_it) - 2


def test_offers_are_of_believed_paths_in_the_caches_order(world: World, cache: Cache) -> None:
    cache.put(OUTPUT)
    cache.silent = frozenset({"dead"})
    cache.has["/nix/store/x"] = entry(OUTPUT)  # signed by the key
    offers = CacheOffers(cache, lambda: [KEY])
    dead, empty, first, second = offers.ask([OUTPUT, "/nix/store/x"], ["dead", "empty", "one", "two", "one"])
    assert (dead.problem, empty.problem) == ("dead: no answer", "empty: no binary cache")
    assert (set(first.offers), first.unsigned) == ({"/nix/store/x"}, (OUTPUT,))
    assert {path: offer.cache for path, offer in first_offers([dead, first, second]).items()} == {
        "/nix/store/x": "one"
    }
    assert offers.ask([], ["one"]) == () and offers.ask([OUTPUT], []) == ()


def test_a_build_takes_outputs_from_the_top(world: World) -> None:
    base, train = (world.drv(name).out_path for name in ("digits-base", "digits-train"))
    world.offered = {base, train}
    world.service().run(world.project(), BuildRequest(caches=("there",)), world.new_view)
    assert world.taken == [base, train]
    assert world.fetched == ["rows"], "prepare reads them"


def test_a_build_whose_stages_are_offered_fetches_nothing(world: World) -> None:
    world.offered = {world.drv(f"digits-{name}").out_path for name in ("base", "prepare", "train")}
    world.service().run(world.project(), BuildRequest(caches=("there",)), world.new_view)
    assert len(world.taken) == 3 and world.fetched == []


def test_what_a_cache_does_not_give_whole_is_built(world: World) -> None:
    world.offered, world.whole = {world.drv("digits-train").out_path}, False
    outcome = world.service().run(world.project(), BuildRequest(caches=("there",)), world.new_view)
    assert world.taken and "train" in outcome.built


def test_without_caches_nobody_is_asked(world: World) -> None:
    world.offered = {world.drv("digits-train").out_path}
    world.service().run(world.project(), BuildRequest(), world.new_view)
    assert world.taken == []
