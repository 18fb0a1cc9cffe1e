"""A project starts from a template, and nothing is ever overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest

from reprobuild.errors import UsageError
from reprobuild.services.init import start_project

TEMPLATES = Path(__file__).parents[2] / "templates"


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    source = tmp_path / "templates/small"
    (source / "data").mkdir(parents=True)
    (source / "__pycache__").mkdir()
    (source / "reprobuild.toml").write_text("spec")
    (source / "data/rows.csv").write_bytes(b"\x00\xff")
    (source / "__pycache__/x.pyc").write_bytes(b"")
    (source / "reprobuild.lock").write_text("{}")
    (tmp_path / "templates/no-template").mkdir()
    return tmp_path / "templates"


def test_it_copies_the_files_and_names_them(templates: Path, tmp_path: Path) -> None:
    assert start_project(templates, "small", tmp_path / "new") == ["data/rows.csv", "reprobuild.toml"]
    assert (tmp_path / "new/data/rows.csv").read_bytes() == b"\x00\xff"


def test_locks_and_caches_of_the_template_stay_behind(templates: Path, tmp_path: Path) -> None:
    start_project(templates, "small", tmp_path / "new")
    assert not (tmp_path / "new/reprobuild.lock").exists() and not (tmp_path / "new/__pycache__").exists()


def test_other_files_of_the_folder_stay(templates: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new/mine.txt").write_text("mine")
    start_project(templates, "small", tmp_path / "new")
    assert (tmp_path / "new/mine.txt").read_text() == "mine"


def test_a_file_that_is_there_stops_it_before_anything_is_written(templates: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new/reprobuild.toml").write_text("mine")
    with pytest.raises(UsageError, match=r"reprobuild\.toml is there already, and nothing is overwritten"):
        start_project(templates, "small", tmp_path / "new")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["reprobuild.toml"]
    assert (tmp_path / "new/reprobuild.toml").read_text() == "mine"


def test_a_dangling_link_is_not_written_through(templates: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new/reprobuild.toml").symlink_to(tmp_path / "outside")
    with pytest.raises(UsageError, match="is there already"):
        start_project(templates, "small", tmp_path / "new")
    assert not (tmp_path / "outside").exists()


def test_a_file_in_the_folders_place_is_refused(templates: Path, tmp_path: Path) -> None:
    (tmp_path / "new").write_text("")
    with pytest.raises(UsageError, match="is there and is not a folder"):
        start_project(templates, "small", tmp_path / "new")


def test_a_folder_that_cannot_be_written_is_named(templates: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new/data").write_text("")
    with pytest.raises(UsageError, match="cannot write"):
        start_project(templates, "small", tmp_path / "new")


def test_an_unknown_template_names_those_there_are() -> None:
    with pytest.raises(UsageError) as caught:
        start_project(TEMPLATES, "quikstart", Path("never"))
    assert caught.value.expected == "one of pytorch-cuda, quickstart, scikit-learn"
    assert caught.value.hint == "did you mean `quickstart`?"
