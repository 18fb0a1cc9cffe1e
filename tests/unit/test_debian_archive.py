"""Claims about resolving a base against whole (tiny, signed) archives in folders."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
from tests.golden.debian.tiny import BASE_PACKAGES, RELEASED, TinyArchive, keyring

from reprobuild.adapters.debian.archive import DebianArchive
from reprobuild.adapters.debian.deb_file import busybox_of
from reprobuild.adapters.debian.mirrors import Mirror, Mirrors, template
from reprobuild.adapters.http import HttpxClient
from reprobuild.errors import ContentMismatchError, NetworkError, ResolveError, SignatureError, SpecError

RING = keyring(bookworm="one", trixie="two")
SNAPSHOT = "20260711T101637Z"


def archive(*urls: str, cache: Path | None = None, dated: tuple[str, ...] = ()) -> DebianArchive:
    mirrors = Mirrors(
        tuple(Mirror(url, "test") for url in urls), tuple(Mirror(template(url), "test") for url in dated)
    )
    return DebianArchive(mirrors, HttpxClient(), cache=cache, keyring=RING)


def test_a_base_is_pinned(tmp_path: Path) -> None:
    base = archive(TinyArchive(tmp_path / "a").write().url).resolve("bookworm", extra_packages=["jq"])
    assert (base.release_date, base.snapshot) == ("2026-07-11T10:16:37Z", SNAPSHOT)
    assert (base.python_version, base.glibc_version) == ("3.11", "2.36")
    names = [package.name for package in base.packages]
    assert base.compiler_deb is None, "this archive has none"
    assert names == sorted(names) and {"jq", "libjq1", "python3.11"} <= set(names)
    assert base.seed_deb.name == "busybox-static" and "busybox-static" not in names
    assert base.packages[0].file_name.endswith("_1_amd64.deb")


def test_the_compiler_is_found_beside_the_base(tmp_path: Path) -> None:
    packages = {**BASE_PACKAGES, "tcc": {"Version": "0.9.27-1", "Depends": "libc6 (>= 2.14)"}}
    base = archive(TinyArchive(tmp_path, packages=packages).write().url).resolve("bookworm")
    assert base.compiler_deb is not None and base.compiler_deb.version == "0.9.27-1"
    assert "tcc" not in {package.name for package in base.packages}


def test_the_host_compiler_comes_with_what_it_needs(tmp_path: Path) -> None:
    packages = {**BASE_PACKAGES, "g++": {"Version": "4:12.2.0-3", "Depends": "libc6"}}
    base = archive(TinyArchive(tmp_path / "a", packages=packages).write().url).resolve("bookworm")
    names = [package.name for package in base.host_compiler_debs]
    assert "g++" in names and "libc6" in names and names == sorted(names)
    assert "g++" not in {package.name for package in base.packages}
    assert archive(TinyArchive(tmp_path / "b").write().url).resolve("bookworm").host_compiler_debs == ()


def test_two_mirrors_of_one_state_give_equal_bases(tmp_path: Path) -> None:
    one = TinyArchive(tmp_path / "a").write()
    assert archive(one.url).resolve("bookworm") == archive(one.url).resolve("bookworm")
    other = archive(TinyArchive(tmp_path / "b").write(reverse=True).url).resolve("bookworm")
    assert other.packages == archive(one.url).resolve("bookworm").packages


def test_a_changed_package_index_is_refused(tmp_path: Path) -> None:
    tiny = TinyArchive(tmp_path / "a").write()
    data = bytearray(tiny.index_file.read_bytes())
    data[-20] ^= 1
    tiny.index_file.write_bytes(data)
    with pytest.raises(ContentMismatchError) as caught:
        archive(tiny.url).resolve("bookworm")
    assert caught.value.actual_from is not None and caught.value.actual_from.startswith(tiny.url)


def test_a_mirror_that_is_signed_by_nobody_we_know_is_refused(tmp_path: Path) -> None:
    tiny = TinyArchive(tmp_path / "a", signer="stranger").write()
    with pytest.raises(SignatureError):
        archive(tiny.url).resolve("bookworm")


def test_a_mirror_that_serves_another_suite_is_refused(tmp_path: Path) -> None:
    tiny = TinyArchive(tmp_path / "a", codename="trixie").write()
    with pytest.raises(ResolveError) as caught:
        archive(tiny.url).resolve("bookworm")
    assert (caught.value.expected, caught.value.actual) == ("bookworm", "trixie")


def test_the_next_mirror_answers_when_the_first_does_not(tmp_path: Path) -> None:
    bad = TinyArchive(tmp_path / "bad", signer="stranger").write()
    half = TinyArchive(tmp_path / "half").write()
    half.index_file.unlink()
    good = TinyArchive(tmp_path / "good").write()
    gone = (tmp_path / "gone").as_uri()
    assert archive(gone, bad.url, half.url, good.url).resolve("bookworm").python_version == "3.11"


def test_without_an_answer_every_mirror_is_listed(tmp_path: Path) -> None:
    gone = [(tmp_path / name).as_uri() for name in ("x", "y")]
    with pytest.raises(NetworkError) as caught:
        archive(*gone).resolve("bookworm")
    assert len(caught.value.details) == 2
    assert all(url in line for url, line in zip(gone, caught.value.details, strict=True))
    assert caught.value.hint is not None and "REPROBUILD_DEBIAN_MIRRORS" in caught.value.hint


def test_without_any_mirror_the_error_says_so() -> None:
    with pytest.raises(NetworkError, match="no mirror is known"):
        archive().resolve("bookworm")


def test_a_bad_signature_is_told_even_when_other_mirrors_are_silent(tmp_path: Path) -> None:
    bad = TinyArchive(tmp_path / "bad", signer="stranger").write()
    with pytest.raises(SignatureError) as caught:
        archive((tmp_path / "gone").as_uri(), bad.url).resolve("bookworm")
    assert len(caught.value.details) == 2


def test_a_second_resolve_asks_for_the_release_only(tmp_path: Path) -> None:
    tiny = TinyArchive(tmp_path / "a").write()
    first = archive(tiny.url, cache=tmp_path / "cache").resolve("bookworm")
    tiny.index_file.unlink()
    assert archive(tiny.url, cache=tmp_path / "cache").resolve("bookworm") == first


def test_a_damaged_cache_is_not_believed(tmp_path: Path) -> None:
    tiny = TinyArchive(tmp_path / "a").write()
    first = archive(tiny.url, cache=tmp_path / "cache").resolve("bookworm")
    for file in (tmp_path / "cache").rglob("*"):
        if file.is_file():
            file.write_bytes(b"damaged")
    assert archive(tiny.url, cache=tmp_path / "cache").resolve("bookworm", snapshot=SNAPSHOT) == first


def test_a_dated_state_in_the_cache_needs_nobody(tmp_path: Path) -> None:
    tiny = TinyArchive(tmp_path / "a").write()
    first = archive(tiny.url, cache=tmp_path / "cache").resolve("bookworm")
    assert archive(cache=tmp_path / "cache").resolve("bookworm", snapshot=SNAPSHOT) == first


def test_a_live_mirror_does_when_its_date_is_the_wanted_one(tmp_path: Path) -> None:
    new = TinyArchive(tmp_path / "new", released=RELEASED + timedelta(days=60)).write()
    old = TinyArchive(tmp_path / "old").write()
    assert archive(new.url, old.url).resolve("bookworm", snapshot=SNAPSHOT).snapshot == SNAPSHOT
    assert archive(new.url, old.url).resolve("bookworm").snapshot != SNAPSHOT


def test_without_the_dated_state_both_dates_are_told(tmp_path: Path) -> None:
    new = TinyArchive(tmp_path / "new", released=RELEASED + timedelta(days=60)).write()
    with pytest.raises(ResolveError) as caught:
        archive(new.url).resolve("bookworm", snapshot=SNAPSHOT)
    assert caught.value.expected == "release of 20260711T101637Z"
    assert caught.value.actual == "release of 20260909T101637Z"
    assert caught.value.hint is not None and "REPROBUILD_DEBIAN_SNAPSHOTS" in caught.value.hint


def test_a_dated_archive_has_the_old_state(tmp_path: Path) -> None:
    TinyArchive(tmp_path / "20260712T101637Z").write()  # shown a day after it was made
    new = TinyArchive(tmp_path / "new", released=RELEASED + timedelta(days=60)).write()
    base = archive(new.url, dated=(tmp_path.as_uri(),)).resolve("bookworm", snapshot=SNAPSHOT)
    assert base.snapshot == SNAPSHOT


def test_a_release_may_name_its_dated_archive(tmp_path: Path) -> None:
    TinyArchive(tmp_path / "20260712T101637Z").write()
    fields = {"Snapshots": f"{tmp_path.as_uri()}/@SNAPSHOTID@/"}
    new = TinyArchive(tmp_path / "new", released=RELEASED + timedelta(days=60), release_fields=fields).write()
    assert archive(new.url).resolve("bookworm", snapshot=SNAPSHOT).snapshot == SNAPSHOT


def test_a_dated_archive_s_own_time_gives_the_state_of_that_time(tmp_path: Path) -> None:
    TinyArchive(tmp_path / "20260801T000000Z").write()
    base = archive(dated=(tmp_path.as_uri(),)).resolve("bookworm", snapshot="20260801T000000Z")
    assert base.snapshot == SNAPSHOT


def test_a_snapshot_that_is_no_time_is_an_error() -> None:
    with pytest.raises(SpecError):
        archive().resolve("bookworm", snapshot="20269999T000000Z")


def test_the_seed_is_taken_out_of_its_checked_package(tmp_path: Path) -> None:
    tiny = TinyArchive(tmp_path / "a").write()
    where = archive(tiny.url)
    base = where.resolve("bookworm")
    assert busybox_of(where.fetch_package(base.seed_deb, base.snapshot)) == b"program of busybox-static"


def test_a_changed_package_is_refused_with_both_digests(tmp_path: Path) -> None:
    tiny = TinyArchive(tmp_path / "a").write()
    base = archive(tiny.url).resolve("bookworm")
    (tiny.root / base.seed_deb.pool_path).write_bytes(b"other")
    with pytest.raises(ContentMismatchError) as caught:
        archive(tiny.url).fetch_package(base.seed_deb, base.snapshot)
    assert caught.value.expected == base.seed_deb.digest


def test_files_are_asked_by_hash_where_the_archive_offers_it(tmp_path: Path) -> None:
    tiny = TinyArchive(tmp_path / "a", release_fields={"Acquire-By-Hash": "yes"}).write()
    first = archive(tiny.url).resolve("bookworm")
    folder = tiny.index_file.parent / "by-hash/SHA256"
    folder.mkdir(parents=True)
    tiny.index_file.rename(folder / hashlib.sha256(tiny.index_file.read_bytes()).hexdigest())
    assert archive(tiny.url).resolve("bookworm") == first
