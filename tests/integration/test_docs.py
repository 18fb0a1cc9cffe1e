"""The commands in the documentation, run as they stand there, page by page, in a throw-away store."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest
from tests.docs_pages import REPOSITORY, Block, blocks, name_of, pages, runs
from tests.integration.conftest import World

pytestmark = pytest.mark.integration


def to_run(page: Path) -> list[Block]:
    """Blocks that are run, and files that are put into place for them."""
    return [b for b in blocks(page) if "file" in b.remarks or b.is_run_here]


PAGES = [page for page in pages() if any(block.is_run_here for block in blocks(page))]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_commands_of_a_page_do_what_it_says(
    page: Path, world: World, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    folders = {"an empty folder": tmp_path / "empty"}
    folders["an empty folder"].mkdir()
    for block in to_run(page):
        where = block.remarks.get("run in", "an empty folder")
        if where not in folders:
            project: Path = request.getfixturevalue("quickstart")
            folders[where] = shutil.copytree(project, tmp_path / "quickstart", symlinks=True)
        if "file" in block.remarks:
            file = folders[where] / block.remarks["file"]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text)
        else:
            folders[where] = _run(block, world, folders[where])


def _run(block: Block, world: World, folder: Path) -> Path:
    """Run a block's commands one after the other; returns the folder that the last one ended in."""
    path = f"{Path(sys.executable).parent}:{world.environment()['PATH']}"
    commands = block.commands()
    for number, (command, printed) in enumerate(commands, 1):
        ended_in = folder / ".ended-in"
        options = "-e" if block.language == "sh" else "+e"
        script = f'set {options}\n{command}\nstatus=$?\npwd > "{ended_in}"\nexit "$status"\n'
        done = world.run(["bash", "-o", "pipefail", "-c", script], cwd=folder, env={"PATH": path})
        said = f"{block.place}: $ {command}\n{done.stdout}{done.stderr}"
        expected = block.exit_status if number == len(commands) else 0
        assert done.returncode == expected, f"exit status {done.returncode}, not {expected}\n{said}"
        shown = done.stderr if done.returncode else done.stdout  # progress and notes are not on the page
        assert _as_printed(printed, shown), f"the page shows other lines\n{said}"
        if ended_in.exists():
            folder = Path(ended_in.read_text().strip())
            ended_in.unlink()
    return folder


def _as_printed(lines: list[str], output: str) -> bool:
    """Whether the output is as shown: `…` stands for anything; a page that shows nothing says nothing."""
    if not lines:
        return True
    rest = "(\n.*)?" if lines[-1] == "…" else ""
    shown = lines[:-1] if rest else lines
    pattern = re.escape("\n".join(" ".join(line.split()) for line in shown)).replace("…", ".*") + rest
    squeezed = "\n".join(" ".join(line.split()) for line in output.strip().splitlines())
    return re.fullmatch(pattern, squeezed if shown else f"\n{squeezed}", re.DOTALL) is not None


def test_the_checker_of_printed_lines_tells_right_from_wrong() -> None:
    assert _as_printed(["digits-…", "…"], "digits-1.0.0-abc\n  more\n")
    assert not _as_printed(["digits-…"], "letters-1.0.0\n")
    assert _as_printed(["train   same"], "train same\n")
    assert not _as_printed(["train same"], "train same\nand more\n")
    assert _as_printed(["train same", "…"], "train same\n")
    assert not _as_printed(["train same", "…"], "train same, nearly\n")
    assert _as_printed(["…"], "anything\n")


ELSEWHERE = [block for page in pages() for block in blocks(page) if "run by" in block.remarks]


@pytest.mark.parametrize("block", ELSEWHERE, ids=lambda block: block.place)
def test_a_block_that_is_run_elsewhere_is_run_there(block: Block) -> None:
    for command, _ in block.commands():
        assert runs(REPOSITORY / block.remarks["run by"], command), (
            f"{block.place}: {block.remarks['run by']} does not run `{command}`"
        )


def test_what_a_file_runs_is_told_from_what_it_mentions(tmp_path: Path) -> None:
    test, script = tmp_path / "test_x.py", tmp_path / "script"
    test.write_text(
        'def t(world, p):\n    world.reprobuild("init", str(p))\n    mktemp("lock")\n    world.run(["plan"])\n'
    )
    script.write_text("# reprobuild lock\n  reprobuild nix build\n")
    assert runs(test, "reprobuild init digits") and runs(test, "reprobuild init digits > out.txt")
    assert not runs(test, "reprobuild init digits --force")
    assert not runs(test, "reprobuild lock")
    assert not runs(test, "reprobuild plan")
    assert not runs(test, "rm -r digits")
    assert runs(script, "reprobuild nix build")
    assert not runs(script, "reprobuild lock")


def test_some_pages_are_run() -> None:
    assert {"README.md", "docs/how-to/own-project.md"} <= {name_of(page) for page in PAGES}
    assert (REPOSITORY / "docs").is_dir()
