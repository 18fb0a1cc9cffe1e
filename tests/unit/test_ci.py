"""A pipeline: where it is written, that nothing is overwritten unasked, and that both systems' schemas take it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from reprobuild.errors import UsageError
from reprobuild.services.ci import FILES, Pipeline, write_pipeline
from reprobuild.services.project import Project, open_project

from .spec_examples import SPEC

TEMPLATES = Path(__file__).parents[2] / "templates"
# of the package check-jsonschema, which carries SchemaStore's and GitLab's own schemas
SCHEMAS = {"github": "vendor.github-workflows", "gitlab": "vendor.gitlab-ci"}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    return tmp_path / "repository"


def project(folder: Path) -> Project:
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("prepare.py", "train.py", "rows.csv"):
        (folder / name).write_text("1")
    (folder / "reprobuild.toml").write_text(SPEC)
    return open_project(folder)


def write(
    made: Project, system: str = "github", requirement: str = "reprobuild", **options: bool
) -> Pipeline:
    return write_pipeline(
        TEMPLATES, system, made, requirement, **{"force": False, "dry_run": False, **options}
    )


def problems(file: Path, system: str) -> str:
    checker = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", SCHEMAS[system], str(file)]
    done = subprocess.run(checker, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize("folder", ["", "models/digits"])
@pytest.mark.parametrize("system", FILES)
def test_the_schema_of_the_system_takes_it(repository: Path, system: str, folder: str) -> None:
    made = write(project(repository / folder), system)
    assert made.file == repository / FILES[system]
    assert problems(made.file, system) == ""


@pytest.mark.parametrize(
    ("system", "right", "wrong"),
    [("github", "runs-on:", "run-on:"), ("gitlab", "\n  script:", "\n  scripts:")],
)
def test_that_schema_refuses_a_wrong_key(repository: Path, system: str, right: str, wrong: str) -> None:
    made = write(project(repository), system)
    made.file.write_text(made.text.replace(right, wrong))
    assert problems(made.file, system) != ""


@pytest.mark.parametrize("system", FILES)
def test_no_mark_is_left(repository: Path, system: str) -> None:
    text = write(project(repository / "models/digits"), system, "reprobuild==1.2.3").text
    for mark in ("@model@", "@folder@", "@prefix@", "@requirement@"):
        assert mark not in text
    assert "pip install --quiet reprobuild==1.2.3\n" in text
    assert "models/digits/reprobuild.lock" in text


@pytest.mark.parametrize("system", FILES)
def test_a_requirement_stays_one_word_of_the_shell(repository: Path, system: str) -> None:
    text = write(project(repository), system, "reprobuild @ https://h.example/a b.whl # c: d").text
    assert "pip install --quiet 'reprobuild @ https://h.example/a b.whl # c: d'\n" in text
    assert yaml.safe_load(text)


def test_without_a_repository_it_lies_in_the_project(tmp_path: Path) -> None:
    assert write(project(tmp_path / "alone")).file == tmp_path / "alone" / FILES["github"]


def test_a_dry_run_writes_nothing(repository: Path) -> None:
    made = write(project(repository), dry_run=True)
    assert not made.written and not made.file.exists() and made.text.startswith("# Written by")


def test_the_same_again_is_no_overwriting(repository: Path) -> None:
    assert write(project(repository)).written
    assert not write(project(repository)).written


def test_another_file_is_replaced_only_with_force(repository: Path) -> None:
    made = write(project(repository))
    made.file.write_text("mine")
    with pytest.raises(UsageError, match="is there already and says something else"):
        write(project(repository))
    assert made.file.read_text() == "mine"
    assert write(project(repository), force=True).written
    assert made.file.read_text() == made.text


def test_an_unknown_system_names_those_there_are(repository: Path) -> None:
    with pytest.raises(UsageError) as caught:
        write(project(repository), "gitlub")
    assert caught.value.expected == "one of github, gitlab"
    assert caught.value.hint is not None and "did you mean" in caught.value.hint


def test_a_folder_that_would_need_quotes_is_refused(repository: Path) -> None:
    with pytest.raises(UsageError, match="cannot name this folder"):
        write(project(repository / "my model"))


def test_a_requirement_of_two_lines_is_refused(repository: Path) -> None:
    with pytest.raises(UsageError, match="--requirement"):
        write(project(repository), requirement="a\nrun: evil")
