"""What makes something build again, and what does not (rows A1, A7, A8). Key by key: test_rebuild_by_key.py."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tests.integration.conftest import REPOSITORY, World

pytestmark = pytest.mark.integration


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {label for label in before if before[label] != after[label]}


def replace(project: Path, old: str, new: str) -> None:
    file = project / "reprobuild.toml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def test_changing_evaluate_code_rebuilds_evaluate_and_model_only(world: World, tiny: Path) -> None:
    world.reprobuild("nix", "build", cwd=tiny)
    (tiny / "evaluate.py").write_text((tiny / "evaluate.py").read_text() + "\n# a second thought\n")
    assert set(world.json("nix", "build", cwd=tiny)["built"]) == {"evaluate", "model"}


def test_a_comment_in_the_spec_changes_nothing(world: World, tiny: Path) -> None:
    before = world.drv_paths(tiny)
    replace(tiny, 'name = "tiny"', 'name = "tiny"  # a very small one')
    assert world.drv_paths(tiny) == before


def test_an_override_gives_what_editing_the_file_gives(world: World, tiny: Path) -> None:
    overridden = world.drv_paths(tiny, "--set", "train.params.lr=0.01")
    replace(tiny, "lr = 0.1234567", "lr = 0.01")
    assert world.drv_paths(tiny) == overridden


def test_reverting_a_file_restores_the_old_path(world: World, tiny: Path) -> None:
    before = world.drv_paths(tiny)
    code = (tiny / "train.py").read_text()
    (tiny / "train.py").write_text(code + "\nx = 1\n")
    assert changed(before, world.drv_paths(tiny)) == {"train", "evaluate", "model"}
    (tiny / "train.py").write_text(code)
    assert world.drv_paths(tiny) == before


def test_undeclared_files_of_the_project_change_nothing(world: World, tiny: Path) -> None:
    before = world.drv_paths(tiny)
    (tiny / "notes.md").write_text("not an input")
    (tiny / "__pycache__").mkdir()
    (tiny / "__pycache__" / "train.pyc").write_bytes(b"x")
    (tiny / ".git").mkdir()
    assert world.drv_paths(tiny) == before


@pytest.mark.parametrize(
    ("file", "changes"),
    [
        ("python/reprobuild/cli/render.py", False),
        ("python/reprobuild/services/build.py", False),
        ("python/reprobuild_probe/profile.py", False),
        ("python/reprobuild_handshake/compare.py", False),
        ("python/reprobuild_worker/canonical.py", True),
    ],
)
def test_a_comment_in_the_command_line_changes_no_hash_and_one_in_the_worker_does(
    world: World, tiny: Path, tmp_path: Path, file: str, changes: bool
) -> None:
    copy = tmp_path / "checkout"
    for folder in ("nix", "python", "templates"):
        shutil.copytree(REPOSITORY / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    with_copy = {"PYTHONPATH": str(copy / "python")}
    before = world.drv_paths(tiny)
    assert world.drv_paths(tiny, env=with_copy) == before
    (copy / file).write_text((copy / file).read_text() + "\n# a comment\n")
    assert (world.drv_paths(tiny, env=with_copy) != before) is changes


def test_a_parameter_reaches_the_stage_exactly(world: World, tiny: Path) -> None:
    built = world.json(
        "nix", "build", "--stage", "train", "--set", "train.params.lr=0.30000000000000004", cwd=tiny
    )
    numbers = json.loads((world.file(built["outputs"]["train"]) / "numbers.json").read_text())
    assert numbers["lr"] == 0.30000000000000004
