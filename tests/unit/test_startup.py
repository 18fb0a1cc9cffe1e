"""A command loads what it needs and no more: the rest of the command line costs it no time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from reprobuild.cli.app import COMMANDS, GROUPS, make_app, modules_for

from .test_lock_format import SOURCES, lock

# Slow to load, and of no use to a command that builds nothing.
HEAVY = {
    "cryptography",
    "httpx",
    "numpy",
    "rich",
    "reprobuild.core.build_tree",
    "reprobuild.core.schemas",
    "reprobuild.core.spec_problem",
    "reprobuild.domain.build_event",
    "reprobuild.domain.cuda",
    "reprobuild.services.build_missing",
    "reprobuild.services.quota",
    "reprobuild.services.remote",
    "reprobuild.services.steps",
}


# Runs our command line, then names every module that it loaded, on stderr.
LISTED = """
import sys
from reprobuild.cli.main import main
try:
    main()
finally:
    print("LOADED", *sys.modules, file=sys.stderr)
"""


def loaded(done: subprocess.CompletedProcess[str]) -> set[str]:
    """Modules that a run of LISTED loaded."""
    assert done.returncode == 0, done.stderr
    return set(done.stderr.partition("LOADED ")[2].split())


def commands(group: Any, above: str = "") -> set[str]:
    found = set()
    for name, command in group.commands.items():
        found |= commands(command, f"{above}{name} ") if hasattr(command, "commands") else {above + name}
    return found


def test_a_comparison_of_two_locks_loads_neither_what_builds_nor_other_commands(tmp_path: Path) -> None:
    (tmp_path / "reprobuild.lock").write_text(lock(*SOURCES).to_text())
    command = [sys.executable, "-c", LISTED, "nix", "diff", "reprobuild.lock", "reprobuild.lock"]
    found = loaded(subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False))
    assert "reprobuild.services.diff" in found
    assert not found & HEAVY
    ours = {name.rpartition(".")[2] for name in found if name.startswith("reprobuild.cli.commands.")}
    assert ours == {"diff"}


@pytest.mark.parametrize("module", COMMANDS)
def test_each_module_makes_the_commands_that_the_table_says(module: str) -> None:
    assert commands(typer.main.get_command(make_app([module]))) == set(COMMANDS[module])


def test_every_module_is_in_the_table() -> None:
    folder = Path(__file__).parents[2] / "python/reprobuild/cli/commands"
    assert {file.stem for file in folder.glob("*.py")} - {"__init__"} == set(COMMANDS)


@pytest.mark.parametrize(
    ("line", "module"),
    [
        ("build --stage train", "build"),
        ("nix build", "build"),
        ("--debug nix diff HEAD .", "diff"),
        ("nix diff --help", "diff"),
        ("keys new release", "keys"),
        ("verify-signature result", "verify_signature"),
    ],
)
def test_a_call_loads_its_commands_module_alone(line: str, module: str) -> None:
    assert modules_for(line.split()) == [module]


@pytest.mark.parametrize("line", ["", "--help", "nix", "nix --help", "nix buidl", "buidl", "diff A B"])
def test_where_no_command_is_recognised_all_are_there_to_be_listed(line: str) -> None:
    assert modules_for(line.split()) is COMMANDS


def test_no_command_has_the_name_of_a_group() -> None:
    assert not GROUPS.keys() & {name for names in COMMANDS.values() for name in names}
