"""Claims about the real archive, asked of this host's mirrors."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reprobuild.adapters.debian.archive import DebianArchive
from reprobuild.adapters.debian.deb_file import busybox_of
from reprobuild.adapters.debian.mirrors import find_mirrors
from reprobuild.adapters.http import HttpxClient
from reprobuild.errors import NetworkError


@pytest.mark.integration
@pytest.mark.parametrize(
    ("suite", "python", "glibc"), [("bookworm", "3.11", "2.36"), ("trixie", "3.13", "2.41")]
)
def test_a_real_base_resolves(suite: str, python: str, glibc: str, tmp_path: Path) -> None:
    archive = DebianArchive(find_mirrors([], os.environ), HttpxClient(tries=1), cache=tmp_path)
    try:
        base = archive.resolve(suite)
    except NetworkError as error:
        pytest.skip("; ".join((error.message, *error.details)))
    assert (base.python_version, base.glibc_version) == (python, glibc)
    assert 20 <= len(base.packages) <= 40
    assert 10_000_000 < base.size_bytes < 25_000_000
    names = {package.name for package in base.packages}
    assert {"libc6", "libstdc++6", "libgomp1", "libsqlite3-0", "tzdata", "zlib1g", f"python{python}"} <= names
    assert not names & {"dpkg", "debconf", "perl-base", "tar"}
    assert archive.resolve(suite, snapshot=base.snapshot) == base
    assert busybox_of(archive.fetch_package(base.seed_deb, base.snapshot)).startswith(b"\x7fELF")
