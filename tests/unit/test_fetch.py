from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fakes import FakeLocator, FakeProgress, FakeStore, wheel_source
from tests.loopback import Site, loopback_site

from reprobuild.adapters.credentials import Credentials
from reprobuild.adapters.http import HttpxClient
from reprobuild.domain.digest import Digest
from reprobuild.domain.lock import Source
from reprobuild.errors import ContentMismatchError, DiskFullError, NetworkError, SourcesMissingError
from reprobuild.services.fetch import FetchReport, FetchService
from reprobuild.services.fetch_places import Wanted, cached_file

BODY = bytes(range(256)) * 2048  # 512 KiB
CANARY = "canary-s3cret"


def flipped(content: bytes, position: int = 1000) -> bytes:
    return content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :]


@pytest.fixture
def site() -> Iterator[Site]:
    with loopback_site() as found:
        yield found


class Desk:
    """A fetch service with everything around it."""

    def __init__(self, root: Path) -> None:
        self.project, self.cache_dir, self.wheels = root / "project", root / "cache", root / "wheels"
        for folder in (self.project, self.wheels):
            folder.mkdir()
        self.store, self.progress, self.locator = FakeStore(), FakeProgress(), FakeLocator()
        self.http = HttpxClient(Credentials(), sleep=lambda _: None, timeout_s=5)
        self.debs: dict[str, list[str]] = {}
        self.data: dict[str, list[str]] = {}
        self.seeds: list[bytes] = []
        self.free_bytes: Callable[[Path], int] = lambda _: 1 << 50

    @property
    def service(self) -> FetchService:
        return FetchService(
            store=self.store,
            http=self.http,
            locator=self.locator,
            debian_addresses=lambda source: self.debs.get(source.name, []),
            data_addresses=lambda source: self.data.get(source.name, []),
            unpack_seed=self.unpack,
            progress=self.progress,
            cache_dir=self.cache_dir,
            store_dir=self.project,
            free_bytes=lambda path: self.free_bytes(path),
        )

    def unpack(self, deb: Path, folder: Path) -> Path:
        self.seeds.append(deb.read_bytes())
        (folder / "busybox-seed").mkdir()
        return folder / "busybox-seed"

    def run(self, *sources: Source, **options: Any) -> FetchReport:
        return self.service.run(sources, self.project, **options)

    def house(self, source: Source, content: bytes) -> str:
        file = self.wheels / source.file_name
        file.write_bytes(content)
        return file.as_uri()

    def cached(self, source: Source) -> Path:
        return cached_file(self.cache_dir, Wanted.of(source))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def data_source(content: bytes, path: str | None = "data/rows.csv") -> Source:
    return Source(
        kind="data",
        name="rows",
        file_name="rows.csv",
        sha256=Digest.of_bytes(content),
        size_bytes=len(content),
        path=path,
    )


def deb_source(content: bytes) -> Source:
    return Source(
        kind="deb",
        name="libx",
        version="1~rc+2",
        file_name="libx_1~rc+2_amd64.deb",
        sha256=Digest.of_bytes(content),
        size_bytes=len(content),
        suite="bookworm",
        pool_path="pool/libx.deb",
    )


def test_a_wheel_is_downloaded_checked_and_added(desk: Desk, site: Site) -> None:
    wheel = wheel_source("alpha", BODY)
    desk.locator.known = {wheel.file_name: [site.put("/alpha.whl", BODY)]}
    report = desk.run(wheel)
    assert desk.store.paths == {wheel.store_path: BODY}
    assert (report.downloaded_bytes, report.size_bytes) == (len(BODY), len(BODY))
    assert [(one.origin, one.label) for one in report.fetched] == [("index", site.url + "/alpha.whl")]
    assert (desk.progress.done_bytes, desk.progress.total_bytes, desk.progress.closed) == (
        len(BODY),
        len(BODY),
        True,
    )


def test_what_is_in_the_store_costs_one_question(desk: Desk) -> None:
    wheels = [wheel_source(f"w{n}", bytes([n])) for n in range(200)]
    desk.store.paths = {wheel.store_path: b"" for wheel in wheels}
    started_s = time.perf_counter()
    report = desk.run(*wheels)
    assert time.perf_counter() - started_s < 0.05
    assert (desk.store.questions, len(report.reused), report.fetched) == (1, 200, ())
    assert desk.locator.asked == []


def test_places_are_tried_in_order(desk: Desk, site: Site) -> None:
    """Store, binary cache, own downloads, wheelhouse, index."""
    wheels = {
        name: wheel_source(name, name.encode()) for name in ("store", "binary", "own", "house", "index")
    }
    for name, wheel in wheels.items():
        index = site.put(f"/{name}.whl", name.encode())
        house = [desk.house(wheel, name.encode())] if name in ("house", "own", "binary", "store") else []
        desk.locator.known[wheel.file_name] = [*house, index]
    desk.cached(wheels["own"]).parent.mkdir(parents=True)
    desk.cached(wheels["own"]).write_bytes(b"own")
    desk.store.caches = {"file:///cache": [wheels["binary"].store_path]}
    desk.store.paths = {wheels["store"].store_path: b""}
    report = desk.run(*wheels.values(), caches=["file:///cache"])
    origins = {one.source.name: one.origin for one in report.fetched}
    assert origins == {
        "binary": "binary-cache",
        "own": "download-cache",
        "house": "wheelhouse",
        "index": "index",
    }
    assert [path for _, path, _ in site.requests] == ["/index.whl"]


def test_file_names_that_nix_does_not_take_are_changed_for_the_store(desk: Desk, site: Site) -> None:
    wheel, deb = wheel_source("alpha", b"wheel", local="+cpu"), deb_source(b"deb")
    desk.locator.known = {wheel.file_name: [desk.house(wheel, b"wheel")]}
    desk.debs = {"libx": [site.put("/libx.deb", b"deb")]}
    desk.run(wheel, deb)
    assert {path[44:] for path in desk.store.paths} == {
        "alpha-1.0_cpu-py3-none-any.whl",
        "libx_1_rc_2_amd64.deb",
    }
    assert not list(desk.cache_dir.glob("staging-*"))


@pytest.mark.parametrize("name", ["rows.csv", "data rows.csv", "other"])
def test_of_a_link_the_file_behind_it_is_added(desk: Desk, tmp_path: Path, name: str) -> None:
    """Nix would add the link itself, or refuse it."""
    source = data_source(BODY, "rows.csv").model_copy(update={"file_name": name})
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/rows.csv").write_bytes(BODY)
    (tmp_path / "elsewhere/second").symlink_to("rows.csv")
    (desk.project / "rows.csv").symlink_to(tmp_path / "elsewhere/second")
    desk.run(source)
    assert desk.store.paths == {source.store_path: BODY}


def test_one_flipped_byte_in_a_wheel_is_refused_and_named(desk: Desk) -> None:
    wheel = wheel_source("alpha", BODY)
    desk.locator.known = {wheel.file_name: [desk.house(wheel, flipped(BODY))]}
    with pytest.raises(ContentMismatchError) as caught:
        desk.run(wheel)
    error = caught.value
    assert error.message == "wheel alpha 1.0: content differs from the lock"
    assert (error.expected, error.expected_from) == (Digest.of_bytes(BODY), "reprobuild.lock")
    assert (error.actual, error.actual_from) == (
        Digest.of_bytes(flipped(BODY)),
        str(desk.wheels / wheel.file_name),
    )
    assert error.hint == "if the change is intended, run `reprobuild lock --update alpha`"
    assert desk.store.paths == {}


def test_one_flipped_byte_in_a_package_is_refused_and_its_address_named(desk: Desk, site: Site) -> None:
    deb = deb_source(BODY)
    desk.debs = {"libx": [site.put("/libx.deb", flipped(BODY))]}
    with pytest.raises(ContentMismatchError) as caught:
        desk.run(deb)
    assert caught.value.actual_from == site.url + "/libx.deb"
    assert "lock --update base" in (caught.value.hint or "")
    assert [file for file in desk.cache_dir.rglob("*") if file.is_file()] == []


def test_one_flipped_byte_in_a_data_file_is_refused_and_named(desk: Desk) -> None:
    source = data_source(BODY)
    (desk.project / "data").mkdir()
    (desk.project / "data/rows.csv").write_bytes(flipped(BODY))
    with pytest.raises(ContentMismatchError) as caught:
        desk.run(source)
    assert caught.value.message == "dataset rows: content differs from the lock"
    assert caught.value.actual_from == "data/rows.csv"
    assert "lock --update rows" in (caught.value.hint or "")


def test_a_flipped_byte_in_our_own_cache_is_noted_and_fetched_afresh(desk: Desk, site: Site) -> None:
    wheel = wheel_source("alpha", BODY)
    desk.locator.known = desk.locator.fresh = {wheel.file_name: [site.put("/alpha.whl", BODY)]}
    desk.cached(wheel).parent.mkdir(parents=True)
    desk.cached(wheel).write_bytes(flipped(BODY))
    desk.run(wheel)
    assert desk.store.paths == {wheel.store_path: BODY}
    assert desk.cached(wheel).read_bytes() == BODY
    assert "other content" in desk.progress.notes[0]
    assert desk.progress.done_bytes == len(BODY)


def test_a_wrong_mirror_is_noted_and_the_next_one_tried(desk: Desk, site: Site) -> None:
    deb = deb_source(BODY)
    wrong, right = site.put("/wrong.deb", flipped(BODY)), site.put("/right.deb", BODY)
    desk.debs = {"libx": [wrong, right]}
    assert desk.run(deb).fetched[0].label == right
    assert len(desk.progress.notes) == 1 and wrong in desk.progress.notes[0]
    assert str(Digest.of_bytes(flipped(BODY))) in desk.progress.notes[0]


def test_when_all_fail_each_address_is_listed_with_what_was_wrong(desk: Desk, site: Site) -> None:
    deb = deb_source(BODY)
    gone, wrong = site.url + "/gone.deb", site.put("/wrong.deb", flipped(BODY))
    desk.debs = {"libx": [gone, wrong]}
    with pytest.raises(ContentMismatchError) as caught:
        desk.run(deb)
    first, second = caught.value.details
    assert gone in first and "404" in first
    assert wrong in second and "other content" in second
    desk.debs = {"libx": [gone]}
    with pytest.raises(NetworkError, match="deb libx"):
        desk.run(deb)


def test_a_file_of_another_size_is_refused_without_reading_all_of_it(desk: Desk, site: Site) -> None:
    deb = deb_source(BODY[:1000])
    desk.debs = {"libx": [site.put("/libx.deb", BODY)]}
    with pytest.raises(ContentMismatchError) as caught:
        desk.run(deb)
    assert "more than 1,000 bytes" in (caught.value.actual or "")


def test_interrupted_download_goes_on_where_it_stopped(desk: Desk, site: Site) -> None:
    wheel = wheel_source("alpha", BODY)
    desk.locator.known = {wheel.file_name: [site.put("/alpha.whl", BODY, cut_after=[200_000, *[0] * 9])]}
    with pytest.raises(NetworkError):
        desk.run(wheel)
    assert desk.store.paths == {}
    site.pages["/alpha.whl"].cut_after.clear()
    site.requests.clear()
    report = desk.run(wheel)
    assert [headers["range"] for headers in site.gets("/alpha.whl")] == ["bytes=200000-"]
    assert report.downloaded_bytes == len(BODY) - 200_000
    assert desk.store.paths == {wheel.store_path: BODY}


def test_a_beginning_from_elsewhere_is_dropped_and_all_of_it_fetched(desk: Desk, site: Site) -> None:
    wheel = wheel_source("alpha", BODY)
    desk.locator.known = {wheel.file_name: [site.put("/alpha.whl", BODY)]}
    part = desk.cached(wheel).parent.with_name(f"{wheel.sha256.hex}.part")
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * 1000)
    desk.run(wheel)
    assert desk.store.paths == {wheel.store_path: BODY}
    assert not part.exists()
    assert desk.progress.done_bytes == len(BODY)


class _StallingSite:
    """An HTTP client whose download brings a part, and then nothing for ever."""

    def __init__(self) -> None:
        self.stalled = threading.Event()

    def get(self, url: str) -> bytes:
        raise AssertionError

    def size_bytes(self, url: str) -> int:
        raise AssertionError

    def download(self, url: str, target: Path, **options: Any) -> Digest:
        target.write_bytes(BODY[:1000])
        options["advance"](1000)
        self.stalled.set()
        threading.Event().wait(60)
        raise AssertionError


def test_ctrl_c_stops_quickly_and_keeps_what_came(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = wheel_source("alpha", BODY)
    desk.locator.known = {wheel.file_name: ["https://stalling.example/alpha.whl"]}
    stalling = _StallingSite()
    desk.http = stalling  # type: ignore[assignment]

    def press() -> None:
        stalling.stalled.wait(5)
        import _thread

        _thread.interrupt_main()

    threading.Thread(target=press, daemon=True).start()
    started_s = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        desk.run(wheel)
    assert time.monotonic() - started_s < 3
    assert desk.store.paths == {} and desk.progress.closed
    part = desk.cached(wheel).parent.with_name(f"{wheel.sha256.hex}.part")
    assert part.read_bytes() == BODY[:1000]


def test_offline_says_exactly_what_is_missing(desk: Desk) -> None:
    here, away, deb = (
        wheel_source("here", b"here"),
        wheel_source("away", b"x" * 1500),
        deb_source(b"y" * 2000),
    )
    desk.locator.known = {here.file_name: [desk.house(here, b"here")]}
    desk.debs = {"libx": ["https://mirror.example/libx.deb"]}
    with pytest.raises(SourcesMissingError) as caught:
        desk.run(here, away, deb, offline=True)
    assert caught.value.message == "2 of 3 missing sources (3,500 bytes) are not on this machine"
    assert caught.value.details == (
        "deb libx 1~rc+2  libx_1~rc+2_amd64.deb  2,000 bytes",
        "wheel away 1.0  away-1.0-py3-none-any.whl  1,500 bytes",
    )
    assert caught.value.hint and desk.store.paths == {}
    assert all(offline for _, offline, _ in desk.locator.asked)


def test_offline_takes_what_this_machine_has(desk: Desk) -> None:
    wheel, data = wheel_source("alpha", b"wheel"), data_source(b"rows")
    cached, binary = wheel_source("beta", b"beta"), wheel_source("gamma", b"gamma")
    desk.locator.known = {wheel.file_name: [desk.house(wheel, b"wheel")]}
    (desk.project / "data").mkdir()
    (desk.project / "data/rows.csv").write_bytes(b"rows")
    desk.cached(cached).parent.mkdir(parents=True)
    desk.cached(cached).write_bytes(b"beta")
    desk.store.caches = {"/srv/cache": [binary.store_path], "https://cache.example": [wheel.store_path]}
    report = desk.run(
        wheel, data, cached, binary, offline=True, caches=["https://cache.example", "/srv/cache"]
    )
    assert {one.source.name: one.origin for one in report.fetched} == {
        "alpha": "wheelhouse",
        "rows": "project",
        "beta": "download-cache",
        "gamma": "binary-cache",
    }
    assert report.downloaded_bytes == 0


def test_a_lost_data_file_is_asked_for_by_its_path(desk: Desk) -> None:
    with pytest.raises(SourcesMissingError) as caught:
        desk.run(data_source(b"rows"))
    assert caught.value.hint == "put data/rows.csv back into the project"


def test_data_with_an_address_is_downloaded(desk: Desk, site: Site) -> None:
    source = data_source(BODY, path=None)
    desk.data = {"rows": [site.put("/rows.csv", BODY)]}
    assert desk.run(source).fetched[0].origin == "url"


def test_a_seed_is_taken_out_of_its_checked_package(desk: Desk, site: Site) -> None:
    seed = Source(
        kind="seed",
        name="busybox",
        version="1.37",
        file_name="busybox-seed",
        sha256=Digest.of_bytes(b"nar"),
        size_bytes=len(BODY),
        mode="recursive",
        pool_path="pool/b/busybox-static_1.37_amd64.deb",
        deb_sha256=Digest.of_bytes(BODY),
    )
    desk.debs = {"busybox": [site.put("/wrong.deb", flipped(BODY)), site.put("/busybox.deb", BODY)]}
    desk.run(seed)
    assert desk.seeds == [BODY]
    assert set(desk.store.paths) == {seed.store_path}


def test_stale_addresses_make_it_ask_the_indexes_again(desk: Desk, site: Site) -> None:
    wheel = wheel_source("alpha", BODY)
    desk.locator.known = {wheel.file_name: [site.url + "/moved.whl"]}
    desk.locator.fresh = {wheel.file_name: [site.url + "/moved.whl", site.put("/alpha.whl", BODY)]}
    assert desk.run(wheel).fetched[0].label == site.url + "/alpha.whl"
    assert len(site.gets("/moved.whl")) == 1


def test_many_files_come_at_once_and_each_path_once(desk: Desk, site: Site) -> None:
    wheels = [wheel_source(f"w{n}", bytes([n]) * 1000) for n in range(40)]
    for n, wheel in enumerate(wheels):
        desk.locator.known[wheel.file_name] = [site.put(f"/{n}", bytes([n]) * 1000)]
    report = desk.run(*wheels, *wheels)
    assert len(report.fetched) == len(desk.store.paths) == 40
    assert sorted(desk.progress.finished) == sorted(wheel.file_name for wheel in wheels)


def test_one_bad_source_does_not_hide_the_others(desk: Desk, site: Site) -> None:
    bad, lost, good = (wheel_source(name, name.encode() * 900) for name in ("bad", "lost", "good"))
    desk.locator.known = {
        bad.file_name: [site.put("/bad", flipped(b"bad" * 900))],
        lost.file_name: [site.url + "/lost"],
        good.file_name: [site.put("/good", b"good" * 900)],
    }
    with pytest.raises(ContentMismatchError) as caught:
        desk.run(bad, lost, good)
    assert caught.value.message.startswith("wheel bad")
    assert any(line.startswith("also: wheel lost") for line in caught.value.details)
    assert set(desk.store.paths) == {good.store_path}


def test_too_little_room_is_said_before_the_first_byte(desk: Desk, site: Site) -> None:
    wheel = wheel_source("alpha", BODY)
    desk.locator.known = {wheel.file_name: [site.put("/alpha.whl", BODY)]}
    desk.free_bytes = lambda _: 12_345
    with pytest.raises(DiskFullError) as caught:
        desk.run(wheel)
    assert "12,345" in (caught.value.actual or "")
    assert f"{2 * len(BODY) + (64 << 20):,}" in (caught.value.expected or "")
    assert site.requests == []


def test_no_credential_appears_in_errors_or_cache(desk: Desk, site: Site) -> None:
    wheel, lost = wheel_source("alpha", BODY), wheel_source("lost", BODY[:10])
    with_login = site.url.replace("http://", f"http://me:{CANARY}@")
    site.put("/alpha.whl", BODY, login=f"me:{CANARY}")
    desk.locator.known = {
        wheel.file_name: [f"{with_login}/alpha.whl?sig={CANARY}"],
        lost.file_name: [f"{with_login}/lost.whl?sig={CANARY}"],
    }
    plan = desk.service.plan([wheel, lost], desk.project)
    with pytest.raises(NetworkError) as caught:
        desk.run(wheel, lost)
    report = desk.run(wheel)
    seen = [str(caught.value.document()), repr(caught.value), repr(plan), repr(report), *desk.progress.notes]
    for file in desk.cache_dir.rglob("*"):
        seen.append(str(file))
        seen.append(file.read_bytes().decode("latin-1") if file.is_file() else "")
    assert wheel.store_path in desk.store.paths
    assert CANARY not in "\n".join(seen)


def test_the_plan_says_where_each_source_would_come_from(desk: Desk, site: Site) -> None:
    names = ("store", "own", "house", "index", "nowhere")
    wheels = {name: wheel_source(name, name.encode()) for name in names}
    desk.store.paths = {wheels["store"].store_path: b""}
    desk.cached(wheels["own"]).parent.mkdir(parents=True)
    desk.cached(wheels["own"]).write_bytes(b"own")
    desk.locator.known = {
        wheels["house"].file_name: [desk.house(wheels["house"], b"house")],
        wheels["index"].file_name: [site.put("/index.whl", b"index")],
    }
    plan = desk.service.plan(list(wheels.values()), desk.project, ["file:///cache"])
    assert [item.origin for item in plan.items] == [
        "store",
        "download-cache",
        "wheelhouse",
        "index",
        "nowhere",
    ]
    assert plan.download_bytes == len(b"index")
    assert plan.nowhere == (wheels["nowhere"],)
    assert len(plan.to_fetch) == 4
    assert site.requests == [] and desk.progress.total_files == 0


def test_two_processes_do_not_mix_their_parts(desk: Desk, site: Site) -> None:
    wheel = wheel_source("alpha", BODY)
    desk.locator.known = {wheel.file_name: [site.put("/alpha.whl", BODY)]}
    mine, other = desk.store, FakeStore()
    services = [desk.service]
    desk.store = other
    services.append(desk.service)
    threads = [threading.Thread(target=one.run, args=([wheel], desk.project)) for one in services]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert mine.paths == other.paths == {wheel.store_path: BODY}
    assert len(site.gets("/alpha.whl")) == 1
