"""Entries and archives of binary caches: read, believed, and told from damaged ones."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import lzma
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.loopback import loopback_files

from reprobuild.adapters.binary_cache.address import cache_address, known_cache, substituter_settings
from reprobuild.adapters.binary_cache.reader import BinaryCacheReader
from reprobuild.adapters.credentials import Credentials
from reprobuild.adapters.http import HttpxClient
from reprobuild.core.cache_trust import parse_key, trusted_by
from reprobuild.domain.digest import Digest, nix32, nix32_bytes
from reprobuild.domain.nar import File, Folder, NarHasher, Tree, nar_of_tree, tree_chunks
from reprobuild.domain.narinfo import CacheEntry, entry_name, parse_narinfo
from reprobuild.errors import NetworkError, UsageError

GOLDEN = Path(__file__).parents[1] / "golden/binary-cache"
FILE = "/nix/store/gy454w1cxaq731grqwylhzf4pp9r5izh-hello.txt"
FOLDER = "/nix/store/9s7drb2yvvxxziyf190nnknqfjyxa5kk-greetings"
OUTPUT = "/nix/store/vv50scwja8r0bwj327kd62in1iki3qs5-two"
KEY = parse_key((GOLDEN / "golden-1.public").read_text().strip())


def entry(path: str) -> CacheEntry:
    return parse_narinfo((GOLDEN / entry_name(path)).read_text())


def reader() -> BinaryCacheReader:
    return BinaryCacheReader(HttpxClient(Credentials(), sleep=lambda _: None, timeout_s=5))


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return shutil.copytree(GOLDEN, tmp_path / "cache")


@given(st.binary(min_size=1, max_size=40))
def test_base_32_reads_what_it_wrote(data: bytes) -> None:
    assert nix32_bytes(nix32(data)) == data


def test_what_is_no_base_32_is_refused() -> None:
    for text in ("e" * 52, "z" * 52, "0" * 51, ""):
        with pytest.raises(ValueError, match="not a SHA-256 digest"):
            Digest.of_nix32(text)


def test_an_entry_is_read() -> None:
    found = entry(OUTPUT)
    assert (found.path, found.references, found.nar_size_bytes) == (OUTPUT, (FOLDER, FILE), 224)
    assert found.nar_digest == found.file_digest and found.content_address is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "half a line",
        "StorePath: /nix/store/x\nURL: y\nNarHash: sha256:0\nNarSize: 1",
        "URL: x\nNarSize: 1",
    ],
)
def test_a_damaged_entry_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_narinfo(text)


def test_a_signature_of_nix_holds_and_of_nobody_else() -> None:
    assert trusted_by(entry(OUTPUT), [KEY]) == "golden-1"
    assert trusted_by(entry(OUTPUT), []) is None
    assert trusted_by(entry(OUTPUT), [replace(KEY, name="golden-2")]) is None
    assert trusted_by(entry(OUTPUT), [replace(KEY, raw=bytes(32))]) is None


@pytest.mark.parametrize(
    "change",
    [
        {"path": OUTPUT.replace("two", "one")},
        {"nar_digest": Digest.of_bytes(b"")},
        {"nar_size_bytes": 225},
        {"references": (FILE,)},
        {"signatures": ()},
        {"signatures": ("golden-1:AAAA",)},
        {"signatures": ("golden-1",)},
    ],
    ids=str,
)
def test_a_changed_entry_is_not_believed(change: dict[str, object]) -> None:
    assert trusted_by(replace(entry(OUTPUT), **change), [KEY]) is None  # type: ignore[arg-type]


def test_what_follows_from_its_content_needs_no_signature() -> None:
    for path in (FILE, FOLDER):
        unsigned = replace(entry(path), signatures=())
        assert trusted_by(unsigned, []) == "content"
        assert trusted_by(replace(unsigned, path=OUTPUT), []) is None
        assert trusted_by(replace(unsigned, content_address="fixed:sha256:0"), []) is None
        assert trusted_by(replace(unsigned, content_address=None), []) is None


@pytest.mark.parametrize("text", ["", "name", "name:AAAA", ":" + "A" * 43 + "=", "a:" + "A" * 86 + "=="])
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not a public key") as refused:
        parse_key(text)
    assert "A" * 86 not in refused.value.message


def test_a_folder_is_asked_for_many_at_once(cache: Path) -> None:
    absent = f"/nix/store/{'0' * 32}-nothing"
    (cache / entry_name(FILE)).write_text("StorePath")
    (cache / entry_name(FOLDER)).write_text((GOLDEN / entry_name(OUTPUT)).read_text())
    found = reader().lookup(str(cache), [FILE, FOLDER, OUTPUT, absent])
    assert found.found == {OUTPUT: entry(OUTPUT)}
    assert found.damaged[FILE].startswith(entry_name(FILE))
    assert found.damaged[FOLDER].endswith(f"speaks of {OUTPUT}")


def test_a_web_server_is_asked_the_same(cache: Path) -> None:
    with loopback_files(cache) as files:
        found = reader().lookup(f"{files.url}?priority=10", [FILE, f"/nix/store/{'0' * 32}-nothing"])
        read = reader().digests(files.url, found.found[FILE])
    assert set(found.found) == {FILE} and found.damaged == {}
    assert read.nar_digest == entry(FILE).nar_digest
    assert read.content_digest == Digest.of_bytes(b"hello\n")


def test_a_folder_that_is_no_cache_is_refused(cache: Path) -> None:
    (cache / "nix-cache-info").write_text("StoreDir: /gnu/store\n")
    with pytest.raises(UsageError, match="another store"):
        reader().lookup(str(cache), [FILE])
    (cache / "nix-cache-info").unlink()
    with pytest.raises(UsageError, match="no binary cache"):
        reader().lookup(str(cache), [FILE])


PACK: dict[str, Callable[[bytes], bytes]] = {
    "none": lambda data: data,
    "xz": lzma.compress,
    "bzip2": bz2.compress,
    "gzip": gzip.compress,
}


@pytest.mark.parametrize("compression", PACK)
def test_archives_are_unpacked_and_hashed(cache: Path, compression: str) -> None:
    one = entry(FILE)
    packed = PACK[compression]((cache / one.url).read_bytes())
    (cache / "nar/packed").write_bytes(packed)
    read = reader().digests(str(cache), replace(one, url="nar/packed", compression=compression))
    assert (read.file_digest, read.file_size_bytes) == (Digest.of_bytes(packed), len(packed))
    assert (read.nar_digest, read.content_digest) == (one.nar_digest, Digest.of_bytes(b"hello\n"))
    if compression != "none":
        (cache / "nar/packed").write_bytes(packed[: len(packed) // 2])
        with pytest.raises(ValueError, match="cannot be unpacked"):
            reader().digests(str(cache), replace(one, url="nar/packed", compression=compression))
        for at in range(len(packed)):
            flipped = bytearray(packed)
            flipped[at] ^= 0xFF
            (cache / "nar/packed").write_bytes(flipped)
            with contextlib.suppress(ValueError):  # or other digests: never an error of another kind
                read = reader().digests(str(cache), replace(one, url="nar/packed", compression=compression))
                assert read.file_digest != Digest.of_bytes(packed)


def test_what_we_cannot_unpack_is_still_hashed(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    read = reader().digests(str(cache), replace(entry(FILE), compression="zstd"))
    assert (read.file_digest, read.nar_digest) == (entry(FILE).file_digest, None)


@pytest.mark.parametrize(("compression", "program"), [("zstd", "zstd"), ("br", "brotli")])
def test_a_program_unpacks_what_python_cannot(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compression: str, program: str
) -> None:
    """gzip stands in for it: what we give and take is the same."""
    (tmp_path / program).write_text('#!/bin/sh\n[ "$*" = "-d -c" ] && exec /bin/gzip -d -c\n')
    (tmp_path / program).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    one = replace(entry(FILE), url="nar/packed", compression=compression)
    packed = gzip.compress((cache / entry(FILE).url).read_bytes())
    (cache / "nar/packed").write_bytes(packed)
    read = reader().digests(str(cache), one)
    assert (read.file_digest, read.file_size_bytes) == (Digest.of_bytes(packed), len(packed))
    assert (read.nar_digest, read.content_digest) == (one.nar_digest, Digest.of_bytes(b"hello\n"))
    (cache / "nar/packed").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(ValueError, match=f"cannot be unpacked: {program} ended with status"):
        reader().digests(str(cache), one)


def test_a_missing_archive_is_named(cache: Path) -> None:
    (cache / entry(FILE).url).unlink()
    with pytest.raises(NetworkError, match=entry(FILE).url):
        reader().digests(str(cache), entry(FILE))


@given(st.binary(max_size=300), st.booleans(), st.integers(1, 50))
def test_the_file_in_an_archive_is_hashed_however_it_comes(data: bytes, executable: bool, size: int) -> None:
    hasher = hashed(File(data, executable), size)
    assert hasher.digest == nar_of_tree(File(data, executable)).digest
    assert hasher.file_digest == Digest.of_bytes(data)
    assert hashed(Folder({"a": File(data, executable)}), size).file_digest is None


def hashed(tree: Tree, size: int) -> NarHasher:
    hasher, archive = NarHasher(), b"".join(tree_chunks(tree))
    for start in range(0, len(archive), size):
        hasher.add(archive[start : start + size])
    return hasher


def test_an_archive_that_ends_early_holds_no_whole_file() -> None:
    hasher = NarHasher()
    hasher.add(b"".join(tree_chunks(File(b"x" * 100)))[:150])
    assert hasher.file_digest is None


def test_addresses_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = cache_address("../cache?compression=zstd")
    assert folder.store_url == f"file://{tmp_path.parent}/cache?compression=zstd"
    assert (folder.folder, folder.label) == (tmp_path.parent / "cache", f"{tmp_path.parent}/cache")
    web = cache_address("https://user:pass@host/a/?priority=1")
    assert (web.label, web.base_url) == ("https://host/a/", "https://user:pass@host/a")
    assert cache_address("ssh://host").base_url is None
    with pytest.raises(UsageError, match="not a binary cache"):
        known_cache("ssh://host")


def test_caches_are_handed_to_nix_as_it_takes_them(tmp_path: Path) -> None:
    assert substituter_settings([]) == {}
    found = substituter_settings([str(tmp_path), "https://host"])
    assert found["substituters"] == f"file://{tmp_path} https://host"


def test_what_an_address_cannot_say_is_refused(tmp_path: Path) -> None:
    """Nix splits `substituters` at white space."""
    for address in ("/srv/my cache", "file:///srv/my cache", "https://host/a b", "/srv/tab\there"):
        with pytest.raises(UsageError, match="white space"):
            cache_address(address)
    with pytest.raises(UsageError, match="white space") as refused:
        cache_address("https://user:secret@host/a b")
    assert "secret" not in str(refused.value)


def test_a_cache_may_lie_in_a_folder_of_a_bucket() -> None:
    assert cache_address("s3://models/?endpoint=localhost:1").label == "s3://models"
    assert cache_address("s3://models/a//b/?endpoint=localhost:1").label == "s3://models/a/b"
    one, other = (cache_address(f"s3://models/{name}?endpoint=localhost:1").gateway for name in "ab")
    assert one != other


def test_relative_folders_are_refused_where_they_lead_through_white_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my models").mkdir()
    monkeypatch.chdir(tmp_path / "my models")
    with pytest.raises(UsageError, match="white space"):
        cache_address("../my models/cache")
    with pytest.raises(UsageError, match="white space"):
        cache_address("cache")
