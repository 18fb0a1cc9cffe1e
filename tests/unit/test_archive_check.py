"""An archive is called whole only after every file of it was compared with its list."""

from __future__ import annotations

from pathlib import Path

import pytest

from reprobuild.domain.archive import ARCHIVE_FILE, SUMS_FILE, ArchiveDocument, sums_text
from reprobuild.services.archive import file_digests
from reprobuild.services.archive_check import check_archive


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    document = ArchiveDocument(
        model="digits",
        version="1.0.0",
        system="x86_64-linux",
        drv_path="",
        out_path="",
        outputs=False,
        reprobuild_version="0",
    )
    (tmp_path / "project").mkdir()
    (tmp_path / "project/train.py").write_text("print(1)\n")
    (tmp_path / ARCHIVE_FILE).write_text(document.to_text())
    (tmp_path / SUMS_FILE).write_text(sums_text(file_digests(tmp_path)))
    return tmp_path


def findings(archive: Path) -> set[tuple[str, str]]:
    return {(finding.state, finding.path) for finding in check_archive(archive).findings}


def test_one_that_is_as_written_is_whole(archive: Path) -> None:
    assert check_archive(archive).ok


def test_a_cut_list_proves_nothing(archive: Path) -> None:
    """As a copy onto a full disk leaves it."""
    sums = archive / SUMS_FILE
    first, second = sums.read_text().splitlines(keepends=True)
    sums.write_text(first)
    assert findings(archive) == {("extra", "project/train.py")}
    sums.write_text(first + second[:30])
    assert findings(archive) == {("changed", SUMS_FILE)}
    sums.write_text("")
    (archive / "project/train.py").write_text("print(2)\n")
    assert findings(archive) == {("changed", SUMS_FILE)}
