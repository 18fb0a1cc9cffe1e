"""`--help` of every command is as checked in, ends with an example, and shows no Python types.

Refresh the golden texts: REFRESH=1 pytest tests/cli/test_help.py
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from reprobuild.cli.app import make_app

GOLDEN = Path(__file__).parents[1] / "golden/help"


def _texts(command: Any, name: str, parent: Any = None) -> Iterator[tuple[str, str]]:
    context = command.context_class(
        command, info_name=name, parent=parent, terminal_width=78, help_option_names=["-h", "--help"]
    )
    yield context.command_path, command.get_help(context).rstrip() + "\n"
    for inner, child in getattr(command, "commands", {}).items():
        yield from _texts(child, inner, context)


HELP = dict(_texts(typer.main.get_command(make_app()), "reprobuild"))


@pytest.mark.parametrize("name", HELP)
def test_it_is_as_checked_in(name: str) -> None:
    file = GOLDEN / f"{name.replace(' ', '-')}.txt"
    if os.environ.get("REFRESH"):
        file.write_text(HELP[name], encoding="utf-8")
    assert file.read_text(encoding="utf-8") == HELP[name], "REFRESH=1 pytest tests/cli/test_help.py"


def test_no_text_is_of_a_command_that_has_gone() -> None:
    assert {file.stem for file in GOLDEN.glob("*.txt")} == {name.replace(" ", "-") for name in HELP}


@pytest.mark.parametrize("name", HELP)
def test_it_ends_with_an_example_of_that_command(name: str) -> None:
    example = " ".join(HELP[name].rpartition("\n\n")[2].split())
    assert example.startswith(f"Example: {name}")


@pytest.mark.parametrize("name", HELP)
def test_it_shows_no_python_types(name: str) -> None:
    assert not re.search(r"<(list|int)\b|\[None\]", HELP[name])


def test_the_commands_of_the_design_are_there() -> None:
    assert {
        "reprobuild init",
        "reprobuild lock",
        "reprobuild fetch",
        "reprobuild plan",
        "reprobuild build",
        "reprobuild verify",
        "reprobuild show",
        "reprobuild ci",
        "reprobuild doctor",
        "reprobuild schema",
        "reprobuild nix build",
        "reprobuild nix shell",
        "reprobuild nix eval",
    } <= HELP.keys()
