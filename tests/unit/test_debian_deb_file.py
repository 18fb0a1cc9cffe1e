"""Claims about reading package files."""

from __future__ import annotations

import pytest
from tests.golden.debian.tiny import ar, tiny_deb

from reprobuild.adapters.debian.deb_file import busybox_of, read_member
from reprobuild.errors import NotYetSupportedError, ReprobuildError, ResolveError


@pytest.mark.parametrize("path", ["bin/busybox", "usr/bin/busybox"])
def test_busybox_is_found_in_both_layouts(path: str) -> None:
    assert busybox_of(tiny_deb({"usr/share/x": b"odd", path: b"elf"})) == b"elf"


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ResolveError) as caught:
        read_member(tiny_deb({"a": b""}), ("bin/sh",))
    assert caught.value.expected == "bin/sh"


def test_zstd_is_refused_by_name() -> None:
    with pytest.raises(NotYetSupportedError, match="zstd"):
        busybox_of(tiny_deb({"bin/busybox": b"elf"}, "zst"))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>",
        ar([("debian-binary", b"2.0\n")]),
        tiny_deb({"a": b"b"})[:-40],
        ar([("data.tar.xz", b"no xz")]),
    ],
)
def test_damaged_packages_are_errors(data: bytes) -> None:
    with pytest.raises(ReprobuildError):
        busybox_of(data)
