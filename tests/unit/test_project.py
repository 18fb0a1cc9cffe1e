"""A project is a folder whose spec is right, whose files are there and whose lock belongs to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from reprobuild.domain.digest import Digest
from reprobuild.domain.lock import Lock
from reprobuild.errors import (
    LockFormatError,
    LockMissingError,
    LockStaleError,
    NotYetSupportedError,
    OverrideError,
    SpecError,
)
from reprobuild.services.project import open_project, read_lock, require_fresh_lock

from .spec_examples import SPEC, edited, on_gpu, with_section
from .test_lock_format import PIN, data


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("prepare.py", "train.py", "rows.csv"):
        (tmp_path / name).write_text("1")
    (tmp_path / "reprobuild.toml").write_text(SPEC)
    return tmp_path


def locked(folder: Path) -> Lock:
    """A lock that fits the project as it is now, written into it."""
    project = open_project(folder)
    lock = Lock(inputs=project.input_digests(), systems={"x86_64-linux": PIN}, sources=(data("rows", b"1"),))
    project.lock_path.write_text(lock.to_text())
    return lock


def respec(folder: Path, text: str) -> None:
    (folder / "reprobuild.toml").write_text(text)


def test_it_opens(folder: Path) -> None:
    project = open_project(folder, ["train.params.lr=1"])
    assert project.spec.stages["train"].params["lr"] == 1.0
    assert project.overrides == {"stages": {"train": {"params": {"lr": 1.0}}}}


def test_a_folder_without_spec_is_told_how_to_begin(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"no reprobuild\.toml in") as caught:
        open_project(tmp_path)
    assert caught.value.hint == "go to the project's folder, or make one with `reprobuild init`"


def test_a_spec_that_is_no_text_is_refused(folder: Path) -> None:
    (folder / "reprobuild.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SpecError, match="cannot read"):
        open_project(folder)


@pytest.mark.parametrize(
    ("missing", "key"),
    [("train.py", r"stages\.train"), ("rows.csv", r"datasets\.rows\.path")],
)
def test_a_file_that_is_not_there_is_named_with_its_key(folder: Path, missing: str, key: str) -> None:
    (folder / missing).unlink()
    with pytest.raises(SpecError, match=f"{key}: file {missing} does not exist"):
        open_project(folder)


def test_a_folder_cannot_be_data(folder: Path) -> None:
    (folder / "rows.csv").unlink()
    (folder / "rows.csv").mkdir()
    with pytest.raises(SpecError, match=r"datasets\.rows\.path: rows\.csv is a folder"):
        open_project(folder)


def test_a_source_file_that_leads_out_of_the_project_is_refused(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "train.py"
    elsewhere.write_text("")
    (folder / "train.py").unlink()
    (folder / "train.py").symlink_to(elsewhere)
    with pytest.raises(SpecError, match="is a link that leads out of the project"):
        open_project(folder)


def test_data_may_lie_elsewhere_behind_a_link(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "rows.csv"
    elsewhere.write_text("1")
    (folder / "rows.csv").unlink()
    (folder / "rows.csv").symlink_to(elsewhere)
    open_project(folder)


@pytest.mark.parametrize(
    "line",
    [
        "-r other.txt",
        "-rother.txt",
        "-cother.txt",
        "-e.",
        "-e .",
        "  --constraint c.txt",
        "--requirement=x",
        "--editable\t.",
        "-r https://me:hunter2@example.org/r.txt",
    ],
)
def test_a_requirements_file_stands_alone(folder: Path, line: str) -> None:
    respec(folder, with_section('[python]\nrequirements_file = "requirements.txt"'))
    (folder / "requirements.txt").write_text(f"numpy\n{line}\n")
    with pytest.raises(SpecError, match=r"requirements\.txt: line 2 includes another file") as caught:
        open_project(folder)
    assert "hunter2" not in f"{caught.value.document()}"


@pytest.mark.parametrize("line", ["--require-hashes", "--index-url https://example.org", "rich", "# -r x"])
def test_other_lines_of_a_requirements_file_are_taken(folder: Path, line: str) -> None:
    respec(folder, with_section('[python]\nrequirements_file = "requirements.txt"'))
    (folder / "requirements.txt").write_text(f"numpy\n{line}\n")
    open_project(folder)


def test_a_byte_order_mark_hides_nothing(folder: Path) -> None:
    respec(folder, with_section('[python]\nrequirements_file = "requirements.txt"'))
    (folder / "requirements.txt").write_text("-r other.txt", encoding="utf-8-sig")
    with pytest.raises(SpecError, match="line 1 includes another file"):
        open_project(folder)
    (folder / "requirements.txt").write_text("-r other.txt", encoding="utf-16")  # uv would read it
    with pytest.raises(SpecError, match="is not UTF-8"):
        open_project(folder)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('[tool.uv.sources]\nalpha = { path = "../alpha" }', r"tool\.uv\.sources\.alpha"),
        ("[tool.uv.sources]\nalpha = { workspace = true }", r"tool\.uv\.sources\.alpha"),
        (
            "[tool.uv.sources]\n"
            'alpha = [{ index = "x", marker = "a" }, { path = "a.whl", editable = true, marker = "b" }]',
            r"tool\.uv\.sources\.alpha",
        ),
        ('[project]\nname = "x"\ndynamic = ["version", "dependencies"]', r"project\.dynamic"),
    ],
)
def test_a_pyproject_stands_alone(folder: Path, text: str, place: str) -> None:
    respec(folder, with_section('[python]\nrequirements_file = "pyproject.toml"'))
    (folder / "pyproject.toml").write_text(text)
    with pytest.raises(SpecError, match=rf"pyproject\.toml: {place} includes another file"):
        open_project(folder)


@pytest.mark.parametrize(
    "text",
    [
        '[project]\nname = "x"\ndynamic = ["version"]\ndependencies = ["alpha"]\n'
        '[tool.uv.sources]\nalpha = { index = "house" }\n'
        '[[tool.uv.index]]\nname = "house"\nurl = "https://example.org"',
        "[tool.uv.sources]\nalpha = { workspace = false }",
        "tool = 1\nproject = []",
        "[tool.uv]\nexclude-newer = 2026-11-20",
    ],
)
def test_a_pyproject_that_stands_alone_is_taken(folder: Path, text: str) -> None:
    respec(folder, with_section('[python]\nrequirements_file = "pyproject.toml"'))
    (folder / "pyproject.toml").write_text(text)
    open_project(folder)


def test_a_pyproject_that_is_not_toml_is_refused(folder: Path) -> None:
    respec(folder, with_section('[python]\nrequirements_file = "pyproject.toml"'))
    (folder / "pyproject.toml").write_text("[")
    with pytest.raises(SpecError, match=r"pyproject\.toml is not valid TOML"):
        open_project(folder)


@pytest.mark.parametrize("name", ["other.toml", "setup.py", "setup.cfg"])
def test_a_requirements_file_of_another_kind_is_refused(folder: Path, name: str) -> None:
    respec(folder, with_section(f'[python]\nrequirements_file = "{name}"'))
    (folder / name).write_text("")
    with pytest.raises(SpecError, match=r"is of another kind"):
        open_project(folder)


def test_what_set_makes_wrong_is_not_blamed_on_the_file(folder: Path) -> None:
    with pytest.raises(SpecError, match=r"reprobuild\.toml with --set: numerics\.threads: out of range"):
        open_project(folder, ["numerics.threads=0"])
    with pytest.raises(OverrideError):
        open_project(folder, ["numerics.thread=0"])


def test_a_fresh_lock_is_taken(folder: Path) -> None:
    lock = locked(folder)
    assert require_fresh_lock(open_project(folder)) == lock


def test_a_change_that_is_not_locked_leaves_it_fresh(folder: Path) -> None:
    lock = locked(folder)
    assert require_fresh_lock(open_project(folder, ["train.params.lr=1", "numerics.seed=3"])) == lock


def test_a_missing_lock_is_refused_with_the_command(folder: Path) -> None:
    with pytest.raises(LockMissingError, match=r"digits: there is no reprobuild\.lock") as caught:
        require_fresh_lock(open_project(folder))
    assert caught.value.hint == "run `reprobuild lock`"


@pytest.mark.parametrize(
    ("text", "section"),
    [
        (with_section('[base]\nsuite = "trixie"'), r"\[base\]"),
        (with_section('[numerics]\nlevel = "portable"'), r"level in \[numerics\]"),
        (with_section('[python]\nrequirements = ["numpy"]'), r"\[python\]"),
        (on_gpu(""), r"accelerator in \[hardware\]"),
        (edited('path = "rows.csv"', 'path = "train.py"'), r"\[datasets\]"),
    ],
)
def test_a_stale_lock_is_refused_with_the_section_and_the_command(
    folder: Path, text: str, section: str
) -> None:
    locked(folder)
    respec(folder, text)
    with pytest.raises(LockStaleError, match=f"is stale: {section} has changed") as caught:
        require_fresh_lock(open_project(folder))
    assert caught.value.hint == "run `reprobuild lock`"


def test_set_cannot_change_what_is_locked_and_says_what_to_do(folder: Path) -> None:
    locked(folder)
    with pytest.raises(LockStaleError, match=r"was made from another \[base\] than --set asks for") as caught:
        require_fresh_lock(open_project(folder, ["base.suite=trixie"]))
    assert caught.value.hint == "write the change into reprobuild.toml, then run `reprobuild lock`"
    with pytest.raises(LockStaleError, match=r"another level in \[numerics\] than --set asks for") as caught:
        require_fresh_lock(open_project(folder, ["numerics.level=portable"]))
    assert caught.value.hint == "write the change into reprobuild.toml, then run `reprobuild lock`"


@pytest.mark.parametrize(
    ("text", "actual"),
    [
        ("{", "not JSON"),
        ("<<<<<<< HEAD\n{}", "not JSON"),
        ("[]", "the whole file"),
        ('{"schema": "reprobuild.lock/1"}', "inputs: Field required"),
    ],
)
def test_a_damaged_lock_is_refused(folder: Path, text: str, actual: str) -> None:
    (folder / "reprobuild.lock").write_text(text)
    with pytest.raises(LockFormatError, match="is damaged") as caught:
        read_lock(open_project(folder))
    assert (caught.value.actual or "").startswith(actual)


def test_a_nixpkgs_base_is_refused_before_its_lock_is_read(folder: Path) -> None:
    respec(folder, with_section('[base]\nkind = "nixpkgs"'))
    (folder / "reprobuild.lock").write_text(
        '{"schema": "reprobuild.lock/1", "systems": {"x86_64-linux": {"kind": "nixpkgs"}}}'
    )
    with pytest.raises(NotYetSupportedError, match=r"base\.kind: .* found nixpkgs"):
        open_project(folder)


def test_a_lock_of_another_format_is_named(folder: Path) -> None:
    (folder / "reprobuild.lock").write_text('{"schema": "reprobuild.lock/9"}')
    with pytest.raises(LockFormatError) as caught:
        read_lock(open_project(folder))
    assert (caught.value.expected, caught.value.actual) == ("reprobuild.lock/1", "reprobuild.lock/9")


def test_moving_the_folder_changes_no_input(folder: Path, tmp_path: Path) -> None:
    before = open_project(folder).input_digests()
    assert open_project(folder.rename(tmp_path.parent / "moved")).input_digests() == before
    assert Digest(f"sha256:{before['base']}")
