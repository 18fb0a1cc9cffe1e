"""Digests: three spellings, one value."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reprobuild.domain.digest import Digest

EMPTY_HEX = hashlib.sha256(b"").hexdigest()
EMPTY_SRI = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
EMPTY_NIX32 = "0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73"  # nix-hash --to-base32 --type sha256


@pytest.mark.parametrize("text", [EMPTY_SRI, EMPTY_HEX, f"sha256:{EMPTY_HEX}"])
def test_equal_digests_are_equal_strings(text: str) -> None:
    assert Digest(text) == EMPTY_SRI == Digest.of_bytes(b"")


def test_it_writes_each_spelling() -> None:
    digest = Digest(EMPTY_SRI)
    assert (digest.hex, digest.nix32, len(digest.raw)) == (EMPTY_HEX, EMPTY_NIX32, 32)


@given(st.binary(max_size=64), st.integers(1, 8))
def test_chunks_do_not_change_it(data: bytes, size: int) -> None:
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    assert Digest.of_chunks(chunks) == Digest.of_bytes(data)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        EMPTY_HEX[:-1],
        EMPTY_HEX.upper(),
        EMPTY_HEX + "\n",
        "sha256-AAAA",
        "sha256-****",
        f"md5:{EMPTY_HEX}",
        "sha256-é",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a SHA-256 digest"):
        Digest(text)


@given(st.text(max_size=60))
def test_any_text_is_a_digest_or_refused(text: str) -> None:
    try:
        assert Digest(text).startswith("sha256-")
    except ValueError as error:
        assert "not a SHA-256 digest" in str(error)
