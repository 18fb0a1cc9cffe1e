"""Claims about whose releases are believed."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pysequoia import Cert
from tests.golden.debian.tiny import TinyArchive, keyring, sign_release

from reprobuild.adapters.debian.keys import SHIPPED, shipped_keyring
from reprobuild.adapters.debian.release import Release, verify_release
from reprobuild.errors import ContentMismatchError, ResolveError, SignatureError

NOW = datetime(2026, 11, 20, tzinfo=UTC)
RING = keyring(bookworm="one", trixie="two")
KEYS = Path(__file__).parents[2] / "python/reprobuild/data/debian-archive-keys"


def text(codename: str = "bookworm", **fields: str) -> bytes:
    return TinyArchive(Path("/"), codename=codename, release_fields=fields).release_text(b"index")


def check(data: bytes, suite: str = "bookworm") -> Release:
    return verify_release(data, suite, RING, source="file:///mirror", now=NOW)


def test_a_signed_release_is_read() -> None:
    release = check(sign_release(text(), "one"))
    assert release.codename == "bookworm"
    assert release.date == datetime(2026, 7, 11, 10, 16, 37, tzinfo=UTC)
    assert release.digest.hex == hashlib.sha256(text()).hexdigest()
    assert release.file("main/binary-amd64/Packages.xz").size_bytes == 5


def test_the_digest_does_not_depend_on_the_signature() -> None:
    assert check(sign_release(text(), "one")).digest == check(sign_release(text(), "one")).digest


def test_an_unsigned_release_is_refused() -> None:
    with pytest.raises(SignatureError) as caught:
        check(text())
    assert caught.value.actual_from == "file:///mirror"
    assert caught.value.expected is not None
    assert RING.fingerprints("bookworm")[0] in caught.value.expected


def test_an_empty_answer_is_refused() -> None:
    with pytest.raises(SignatureError):
        check(b"")


def test_a_changed_release_is_refused() -> None:
    data = sign_release(text(), "one").replace(b"Origin: Debian", b"Origin: Debiam")
    with pytest.raises(SignatureError):
        check(data)


def test_a_stranger_s_signature_is_refused() -> None:
    with pytest.raises(SignatureError):
        check(sign_release(text(), "stranger"))


def test_the_key_of_another_suite_alone_does_not_do() -> None:
    with pytest.raises(SignatureError):
        check(sign_release(text(), "two"))
    with pytest.raises(SignatureError):
        check(sign_release(text("trixie"), "one"), "trixie")


def test_text_around_the_signed_part_is_not_read() -> None:
    data = b"Codename: trixie\n\n" + sign_release(text(), "one") + b"\nCodename: trixie\n"
    release = check(data)
    assert release.codename == "bookworm"
    assert release.digest == check(sign_release(text(), "one")).digest


def test_another_codename_is_refused_with_both_names() -> None:
    with pytest.raises(ResolveError) as caught:
        check(sign_release(text("trixie"), "one"))
    assert (caught.value.expected, caught.value.actual) == ("bookworm", "trixie")


def test_a_release_past_its_validity_is_refused() -> None:
    with pytest.raises(ResolveError, match="no longer valid"):
        check(sign_release(text(**{"Valid-Until": "Thu, 19 Nov 2026 00:00:00 UTC"}), "one"))
    check(sign_release(text(**{"Valid-Until": "Sat, 21 Nov 2026 00:00:00 UTC"}), "one"))


def test_a_release_without_a_date_is_refused() -> None:
    with pytest.raises(ResolveError, match="date"):
        check(sign_release(text().replace(b"Date:", b"Dat:"), "one"))


def test_an_unknown_suite_is_named_with_the_known_ones() -> None:
    with pytest.raises(ResolveError) as caught:
        check(b"", "buster")
    assert caught.value.expected == "bookworm or trixie"


def test_a_file_that_is_not_the_named_one_is_refused_with_both_digests() -> None:
    entry = check(sign_release(text(), "one")).file("main/binary-amd64/Packages.xz")
    assert entry.check(b"index", "here") == b"index"
    with pytest.raises(ContentMismatchError) as caught:
        entry.check(b"indez", "here")
    assert caught.value.expected is not None and entry.digest in caught.value.expected


def test_a_file_that_the_release_does_not_name_is_an_error() -> None:
    with pytest.raises(ResolveError, match="Packages"):
        check(sign_release(text(), "one")).file("main/binary-riscv64/Packages.xz")


def test_the_shipped_keys_are_the_ones_we_name() -> None:
    named = {name: fingerprint for files in SHIPPED.values() for name, fingerprint in files.items()}
    found = {file.stem: Cert.from_file(str(file)).fingerprint for file in KEYS.glob("*.asc")}
    assert found == named


def test_the_readme_lists_the_same_fingerprints() -> None:
    rows = re.findall(
        r"^\| `([\w-]+)\.asc` \| `([0-9A-F ]+)` \|", (KEYS / "README.md").read_text(), re.MULTILINE
    )
    assert {name: text.replace(" ", "").lower() for name, text in rows} == {
        name: fingerprint for files in SHIPPED.values() for name, fingerprint in files.items()
    }


def test_no_shipped_key_vouches_for_two_suites() -> None:
    ring = shipped_keyring()
    assert not set(ring.fingerprints("bookworm")) & set(ring.fingerprints("trixie"))
