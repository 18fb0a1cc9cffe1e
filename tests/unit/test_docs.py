"""What the documentation says is so: commands, options, exit statuses, examples and links."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer
from tests.docs_pages import REPOSITORY, Block, anchors, blocks, name_of, pages, prose

from reprobuild import errors
from reprobuild.cli.app import make_app
from reprobuild.core.overrides import merged
from reprobuild.core.spec_parse import parse_spec, parse_toml
from reprobuild.services.project import open_project

ALL_BLOCKS = [block for page in pages() for block in blocks(page)]
SHELL_BLOCKS = [block for block in ALL_BLOCKS if block.is_shell]
README = REPOSITORY / "README.md"

# What an example that shows one section only is laid over.
MINIMAL_SPEC = """
schema = "reprobuild.spec/1"

[model]
name = "digits"
version = "1.0.0"
description = "A model of the documentation."
license = "Apache-2.0"
owners = ["you@example.org"]

[datasets.digits]
path = "data/digits.csv.gz"
source = "nowhere"
license = "CC0-1.0"
retrieved = "2026-11-20"

[stages.prepare]
run = "prepare.py"
data = ["digits"]
outputs = ["train.safetensors", "test.safetensors"]

[stages.train]
run = "train.py"
needs = ["prepare"]
outputs = ["weights.safetensors", "trajectory.json"]

[stages.evaluate]
run = "evaluate.py"
needs = ["prepare", "train"]
outputs = ["metrics.json"]
"""


def places(found: list[Block]) -> list[str]:
    return [block.place for block in found]


@pytest.mark.parametrize("block", SHELL_BLOCKS, ids=places(SHELL_BLOCKS))
def test_each_block_of_commands_is_run_by_a_test_or_says_why_not(block: Block) -> None:
    if block.is_run_here:
        assert block.remarks.get("run in") in ("an empty folder", "the quickstart project"), (
            f"{block.place}: put `<!-- run in: an empty folder -->` (or `the quickstart project`) above the "
            "page's first block, or above this one `<!-- not run: WHY -->` or `<!-- run by: TEST -->`"
        )
    if "run by" in block.remarks:
        assert (REPOSITORY / block.remarks["run by"]).is_file()
    assert block.commands()


def command_lines(text: str) -> Iterator[list[str]]:
    """The arguments of every call of ours in a piece of shell: also after `&&` and in pipes."""
    for line in text.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        call: list[str] = []
        for token in [*lexer, ";"]:
            if not token or set(token) - set("();<>|&"):
                call.append(token)
                continue
            if call[:1] == ["reprobuild"]:
                yield call[1:]
            call = []


def documented_commands() -> list[tuple[str, str]]:
    found = [
        (block.place, shlex.join(arguments))
        for block in SHELL_BLOCKS
        for command, _ in block.commands()
        for arguments in command_lines(command)
    ]
    for page in pages():
        found += [
            (name_of(page), inline)
            for inline in re.findall(r"`reprobuild ([^`]+)`", prose(page))
            if "…" not in inline and "|" not in inline
        ]
    return sorted(set(found))


@pytest.mark.parametrize(("place", "line"), documented_commands())
def test_each_command_in_the_docs_exists_with_its_options(place: str, line: str) -> None:
    command: Any = typer.main.get_command(make_app())
    context = command.context_class(command, info_name="reprobuild")
    arguments = shlex.split(line)
    while arguments and hasattr(command, "commands"):
        if arguments[0].startswith("-"):
            known = {option for parameter in command.get_params(context) for option in parameter.opts}
            assert arguments[0] in known, f"{place}: reprobuild {line}: no option {arguments[0]}"
            return
        name = arguments.pop(0)
        assert name in command.commands, f"{place}: reprobuild {line}: no command {name}"
        command = command.commands[name]
        context = command.context_class(command, info_name=name, parent=context)
    if not hasattr(command, "commands"):
        command.parse_args(context, arguments)  # raises for an unknown option


TOML_BLOCKS = [
    block
    for block in ALL_BLOCKS
    if block.language == "toml"
    and "not a spec" not in block.remarks
    and block.remarks.get("file", "reprobuild.toml") == "reprobuild.toml"
]


@pytest.mark.parametrize("block", TOML_BLOCKS, ids=places(TOML_BLOCKS))
def test_each_example_of_a_spec_is_valid(block: Block) -> None:
    example = parse_toml(block.text, block.place)
    if "schema" not in example:
        example = merged(tomllib.loads(MINIMAL_SPEC), example)
    parse_spec(example, block.place)


@pytest.mark.parametrize(
    "page", [*pages(), *sorted((REPOSITORY / "templates").rglob("README.md"))], ids=name_of
)
def test_each_relative_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if "://" in target or target.startswith("mailto:"):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{name_of(page)}: {target}: nothing there"
        if anchor and file.suffix == ".md":
            assert anchor in anchors(file), f"{name_of(page)}: {target}: no such heading"


def test_each_page_is_in_the_table_of_contents() -> None:
    index = REPOSITORY / "docs" / "README.md"
    linked = {(index.parent / target.partition("#")[0]).resolve() for target in _links(index)}
    decisions = REPOSITORY / "docs" / "decisions" / "README.md"
    linked |= {(decisions.parent / target.partition("#")[0]).resolve() for target in _links(decisions)}
    missing = [
        name_of(page)
        for page in pages()
        if page.is_relative_to(index.parent) and page not in linked | {index}
    ]
    assert missing == []


def _links(page: Path) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", prose(page))


def test_the_table_of_exit_statuses_is_that_of_the_code() -> None:
    section = README.read_text(encoding="utf-8").partition("### Exit statuses")[2].partition("\n#")[0]
    rows = re.findall(r"^\| (\d+) \|[^|]*\|([^|]*)\|$", section, re.MULTILINE)
    documented = {int(status): set(re.findall(r"`([^`]+)`", slugs)) for status, slugs in rows}
    statuses = {0} | {value for name, value in vars(errors).items() if name.startswith("EXIT_")}
    expected: dict[int, set[str]] = {status: set() for status in statuses}
    for kind in _kinds(errors.ReprobuildError):
        expected[kind.exit_status].add(kind.slug)
    assert documented == expected


def _kinds(kind: type[errors.ReprobuildError]) -> Iterator[type[errors.ReprobuildError]]:
    yield kind
    for inner in kind.__subclasses__():
        if inner.__module__.startswith("reprobuild."):
            yield from _kinds(inner)


def _script(name: str) -> ModuleType:
    loader = importlib.machinery.SourceFileLoader(name.replace("-", "_"), str(REPOSITORY / "scripts" / name))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    try:
        loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    return module


def test_the_help_in_the_readme_is_what_the_commands_say() -> None:
    text = README.read_text(encoding="utf-8")
    assert _script("refresh-docs").refreshed(text) == text, "run `scripts/refresh-docs`"


def test_the_help_that_is_written_there_is_what_a_terminal_shows() -> None:
    program = "import sys; sys.argv[0] = 'reprobuild'; from reprobuild.cli.main import main; main()"
    shown = subprocess.run(
        [sys.executable, "-c", program, "nix", "shell", "--help"],
        env={**os.environ, "COLUMNS": "80", "PYTHONPATH": str(REPOSITORY / "python")},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert _script("refresh-docs").help_texts()["reprobuild nix shell"] == shown.rstrip()


def test_every_variable_of_ours_that_the_code_reads_is_in_the_readme() -> None:
    sources = "".join(
        file.read_text(encoding="utf-8") for file in (REPOSITORY / "python" / "reprobuild").rglob("*.py")
    )
    set_by_us = {"REPROBUILD_SHELL"}
    read = set(re.findall(r"\bREPROBUILD_[A-Z_]+\b", sources)) - set_by_us
    assert read <= set(re.findall(r"`(REPROBUILD_[A-Z_]+)`", README.read_text(encoding="utf-8")))


def test_the_readme_names_the_two_scripts_and_its_picture() -> None:
    text = README.read_text(encoding="utf-8")
    for needed in ("scripts/quickstart", "scripts/test", "docs/images/build.svg"):
        assert needed in text


def test_the_commands_without_json_are_those_that_the_readme_names() -> None:
    without: list[str] = []

    def visit(command: Any, name: str) -> None:
        for inner, child in getattr(command, "commands", {}).items():
            visit(child, f"{name} {inner}".strip())
        if not hasattr(command, "commands") and not any("--json" in p.opts for p in command.params):
            without.append(name)

    visit(typer.main.get_command(make_app()), "")
    named = " and ".join(f"`{name}`" for name in sorted(without))
    assert f"Every command but {named} has `--json`" in " ".join(README.read_text(encoding="utf-8").split())


def test_what_the_quickstart_says_to_try_next_names_keys_that_its_template_declares(tmp_path: Path) -> None:
    project = shutil.copytree(REPOSITORY / "templates/quickstart", tmp_path / "digits")
    tried = re.findall(r"^  reprobuild .*--set (\S+)", (REPOSITORY / "scripts/quickstart").read_text(), re.M)
    assert tried
    for assignment in tried:
        open_project(project, [assignment])
