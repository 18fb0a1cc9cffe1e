"""Read our Markdown pages: fenced blocks, the remarks above them that tests act on, and headings.

Remarks are HTML comments, alone on a line:

    <!-- run in: an empty folder -->         for all blocks below (or `the quickstart project`)
    <!-- not run: WHY -->                    for the next block; `not run here` if others do
    <!-- run by: tests/…/test_x.py -->       for the next block: this test or script runs each of its commands
    <!-- exit status: 100 -->                for the next block, of its last command
    <!-- file: train.py -->                  the next block is put into the folder under this name
    <!-- not a spec: WHY -->                 the next block is TOML of another kind
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]

_FENCE = re.compile(r"^(?P<indent> *)(?P<mark>`{3,}|~{3,})(?P<language>[\w-]*)\s*$")
_REMARK = re.compile(r"^\s*<!-- (?P<key>[a-z ]+?): (?P<value>.+?) -->\s*$")
_FOR_THE_PAGE = "run in"


@dataclass(frozen=True)
class Block:
    page: str  # relative to the repository
    line: int  # of the opening fence, from 1
    language: str
    text: str
    remarks: dict[str, str]

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def is_shell(self) -> bool:
        return self.language in ("console", "sh", "bash", "shell")

    @property
    def is_run_here(self) -> bool:
        return self.is_shell and not {"not run", "not run here", "run by"} & set(self.remarks)

    @property
    def exit_status(self) -> int:
        return int(self.remarks.get("exit status", "0"))

    def commands(self) -> list[tuple[str, list[str]]]:
        """Each command with the lines that it prints; a script (`sh`) is one that may print anything."""
        if self.language != "console":
            return [(self.text, ["…"])]
        found: list[tuple[str, list[str]]] = []
        open_command = False
        for line in self.text.splitlines():
            if open_command:
                command, printed = found[-1]
                found[-1] = (f"{command}\n{line}", printed)
            elif line.startswith("$ "):
                found.append((line.removeprefix("$ "), []))
            else:
                assert found, f"{self.place}: a console block begins with `$ `"
                found[-1][1].append(line)
                continue
            open_command = line.endswith("\\")
        return found


def pages() -> list[Path]:
    """The README, the changelog and everything in docs/."""
    return [
        REPOSITORY / "README.md",
        REPOSITORY / "CHANGELOG.md",
        *sorted((REPOSITORY / "docs").rglob("*.md")),
    ]


def name_of(page: Path) -> str:
    return str(page.relative_to(REPOSITORY))


def blocks(page: Path) -> list[Block]:
    found: list[Block] = []
    lasting: dict[str, str] = {}
    next_only: dict[str, str] = {}
    lines = page.read_text(encoding="utf-8").splitlines()
    at = 0
    while at < len(lines):
        if opening := _FENCE.match(lines[at]):
            end = next(
                (n for n in range(at + 1, len(lines)) if lines[n].strip() == opening["mark"]), len(lines)
            )
            body = [line.removeprefix(opening["indent"]) for line in lines[at + 1 : end]]
            text = "\n".join(body) + "\n"
            remarks = {**lasting, **next_only}
            found.append(Block(name_of(page), at + 1, opening["language"], text, remarks))
            next_only = {}
            at = end
        elif remark := _REMARK.match(lines[at]):
            (lasting if remark["key"] == _FOR_THE_PAGE else next_only)[remark["key"]] = remark["value"]
        elif lines[at].strip():
            next_only = {}
        at += 1
    return found


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    kept: list[str] = []
    mark = None
    for line in page.read_text(encoding="utf-8").splitlines():
        if mark is not None:
            mark = None if line.strip() == mark else mark
        elif opening := _FENCE.match(line):
            mark = opening["mark"]
        else:
            kept.append(line)
    return "\n".join(kept)


def anchors(page: Path) -> set[str]:
    """Anchors of the headings, as they are made from their text."""
    headings = re.findall(r"^#{1,6} +(.+?)\s*$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def runs(file: Path, command: str) -> bool:
    """Whether a script has this command as a line, or a Python test calls `reprobuild(...)` with its words.

    What the test computes, such as a folder, stands for one word; `cd` is the test's `cwd`, and what a page writes
    into a file by `>` is what the test is given.
    """
    text = file.read_text(encoding="utf-8")
    if file.suffix != ".py":
        lines = text.replace("\\\n", " ").splitlines()
        return command.split() in [line.split() for line in lines]
    program, *words = shlex.split(command)
    if ">" in words:
        words = words[: words.index(">")]
    if program != "reprobuild":
        return program == "cd"
    return any(
        len(call) == len(words) and all(word in (said, None) for said, word in zip(words, call, strict=True))
        for call in _calls(ast.parse(text))
    )


def _calls(tree: ast.Module) -> Iterator[list[str | None]]:
    """Arguments of each call of a `reprobuild` or `json` method; None where they are no literals."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("reprobuild", "json")
            and not any(isinstance(argument, ast.Starred) for argument in node.args)
        ):
            yield [a.value if isinstance(a, ast.Constant) else None for a in node.args]
