"""A project at a git revision is what a checkout of it would be."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from reprobuild.adapters.git import export
from reprobuild.errors import UsageError


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in a subfolder of a repository."""
    for key, value in {"CONFIG_GLOBAL": "/dev/null", "CONFIG_SYSTEM": "/dev/null"}.items():
        monkeypatch.setenv(f"GIT_{key}", value)
    made = tmp_path / "repository" / "model"
    made.mkdir(parents=True)
    git(made.parent, "init", "--quiet")
    return made


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=tests", "-c", "user.email=tests@example.org")
    done = subprocess.run(["git", "-C", folder, *who, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(project: Path, files: dict[str, str]) -> str:
    for name, content in files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(content)
    git(project, "add", "--all", ":/")
    git(project, "commit", "--quiet", "--message", "a change")
    return git(project, "rev-parse", "HEAD")


def exported(project: Path, revision: str, target: Path) -> dict[str, str]:
    target.mkdir()
    export(project, revision, target)
    files = (file for file in target.rglob("*") if file.is_file() or file.is_symlink())
    return {
        str(file.relative_to(target)): str(file.readlink()) if file.is_symlink() else file.read_text()
        for file in files
    }


def test_the_projects_folder_at_a_revision(project: Path, tmp_path: Path) -> None:
    first = commit(project, {"train.py": "1", "code/net.py": "1", "../notes.txt": "not of the project"})
    commit(project, {"train.py": "2"})
    (project / "train.py").write_text("3")
    assert exported(project, "HEAD~1", tmp_path / "old") == {"train.py": "1", "code/net.py": "1"}
    (tmp_path / "again").mkdir()
    assert export(project, "HEAD~1", tmp_path / "again") == first
    assert exported(project, "HEAD", tmp_path / "new")["train.py"] == "2"
    assert git(project, "status", "--porcelain") == "M model/train.py"


def test_links_to_results_that_were_committed_are_no_obstacle(project: Path, tmp_path: Path) -> None:
    (project / "result").symlink_to("/nix/store/x-tiny")
    commit(project, {"train.py": "1"})
    assert exported(project, "HEAD", tmp_path / "old") == {"train.py": "1", "result": "/nix/store/x-tiny"}


def test_what_a_release_archive_leaves_out_or_changes_is_there_as_committed(
    project: Path, tmp_path: Path
) -> None:
    attributes = "rows.csv export-ignore\ntrain.py export-subst\n"
    files = {".gitattributes": attributes, "rows.csv": "1", "train.py": "# $Format:%H$\n"}
    commit(project, files)
    assert exported(project, "HEAD", tmp_path / "old") == files


def test_a_revision_that_is_none_is_refused(project: Path, tmp_path: Path) -> None:
    commit(project, {"train.py": "1"})
    for revision in ("nosuch", "", "--all"):
        with pytest.raises(UsageError) as caught:
            export(project, revision, tmp_path)
        assert caught.value.hint
