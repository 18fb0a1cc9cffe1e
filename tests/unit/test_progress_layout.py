"""The live view says what matters on any width, in colours or not, in ASCII where it must."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from reprobuild.adapters.nix_log import NixLogParser
from reprobuild.cli.progress import choose
from reprobuild.cli.progress.layout import (
    ASCII,
    UNICODE,
    Glyphs,
    duration,
    number,
    rows,
    shorten,
    size,
    sparkline,
)
from reprobuild.cli.progress.terminal import TerminalRenderer, picture
from reprobuild.core.build_state import drv_name
from reprobuild.core.build_tree import BuildTree
from reprobuild.domain.build_event import StageMetrics

ROOT = Path(__file__).parent.parent.parent
RECORDING = ROOT / "tests/golden/nix-log/training.recorded"


class Terminal(io.TextIOWrapper):
    def __init__(self, encoding: str = "utf-8") -> None:
        self.bytes = io.BytesIO()
        super().__init__(self.bytes, encoding=encoding, write_through=True)

    def isatty(self) -> bool:
        return True


def recorded_tree(epoch: int) -> tuple[BuildTree, dict[str, str], float]:
    text = RECORDING.read_text(encoding="utf-8")
    planned = re.findall(r'"msg":"  (/[^"]+\.drv)"', text)
    groups = {drv: "wheels" for drv in planned if "-wheel-" in drv}
    labels = {drv: drv_name(drv).removeprefix("digits-") for drv in planned if drv not in groups}
    tree, parser = BuildTree(planned, labels), NixLogParser()
    for entry in text.splitlines():
        seconds, _, line = entry.partition("\t")
        for event in parser.feed(line):
            tree.apply(event, float(seconds))
            if isinstance(event, StageMetrics) and event.epoch == epoch:
                return tree, groups, float(seconds)
    return tree, groups, float(seconds)


def drawn(epoch: int, width: int, glyphs: Glyphs = UNICODE, *, live: bool = True) -> list[str]:
    terminal = Terminal()
    tree, groups, now_s = recorded_tree(epoch)
    console = TerminalRenderer(
        terminal, {"NO_COLOR": "1", "COLUMNS": str(width)}, clock=lambda: now_s
    ).console
    console.print(picture(rows(tree, groups, now_s, glyphs, live=live), width, glyphs))
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", terminal.bytes.getvalue().decode())
    return [line.rstrip() for line in text.splitlines()]


def test_a_training_shows_epoch_loss_and_its_course() -> None:
    lines = drawn(8, 76)
    assert re.fullmatch(r"✔ base +\d\.\ds", lines[0])
    assert re.fullmatch(r"✔ wheels +8/8 +\d\.\ds", lines[1])
    assert re.fullmatch(r"▸ train +epoch 8/12  loss 0\.0\d+  █[▁▂▃▄▅▆▇]+▁  \d\.\ds", lines[3])
    assert re.fullmatch(r"· waiting +evaluate · model", lines[4])


@pytest.mark.parametrize("width", [12, 20, 40, 60, 80, 200])
@pytest.mark.parametrize("live", [True, False])
def test_no_line_is_wider_than_the_terminal(width: int, live: bool) -> None:
    lines = drawn(8, width, live=live)
    assert len(lines) == 5
    assert max(len(line) for line in lines) <= width


def test_forty_columns_still_show_epoch_and_loss() -> None:
    assert re.fullmatch(r"▸ train +epoch 8/12  loss 0\.\d{4}.*", drawn(8, 40)[3])


def test_ascii_terminals_get_ascii() -> None:
    assert "".join(drawn(8, 76, ASCII)).isascii()


def test_what_the_worker_counts_is_shown_without_saying_it_twice() -> None:
    drv = "/nix/store/kxaci1j7594kh5ksprdynjzqrwlx0l1q-digits-train.drv"
    tree, parser = BuildTree([drv], {drv: "train"}), NixLogParser()

    def shown(*entries: dict[str, object]) -> str:
        for entry in entries:
            for event in parser.feed("@nix " + json.dumps(entry)):
                tree.apply(event, 0.0)
        (row, *_) = rows(tree, {}, 0.0, UNICODE, live=True)
        return "  ".join(part.text for part in row.parts)

    def step(activity: int, done: int, expected: int) -> dict[str, object]:
        return {"action": "result", "id": activity, "type": 105, "fields": [done, expected, 1, 0]}

    def child(activity: int, text: str) -> dict[str, object]:
        return {"action": "start", "id": activity, "type": 101, "text": text, "fields": [text]}

    metrics = '@reprobuild {"event":"metrics","stage":"train","epoch":1,"epochs":3,"values":{"loss":0.5}}'
    start = {"action": "start", "id": 1, "type": 105, "fields": [drv, "", 1, 1]}
    phase = {"action": "result", "id": 1, "type": 104, "fields": ["train: epoch 1/3"]}
    assert shown(start, phase) == "epoch 1/3  0.0s"
    assert shown(child(2, "train: 3 epochs"), step(2, 0, 3)) == "3 epochs 0/3  0.0s"
    assert shown(child(3, "train: epoch 1/3 steps"), step(3, 4, 9)) == "epoch 1/3 steps 4/9  0.0s"
    assert shown({"action": "result", "id": 1, "type": 101, "fields": [metrics]}) == (
        "epoch 1/3  loss 0.5000  steps 4/9  0.0s"
    )
    assert shown({"action": "stop", "id": 3}) == "epoch 1/3  loss 0.5000  0.0s"


def test_a_summary_of_every_stage_remains() -> None:
    lines = drawn(99, 76, live=False)
    assert [line.split()[:2] for line in lines] == [
        ["✔", name] for name in ("base", "wheels", "prepare", "train", "evaluate", "model")
    ]


def test_the_live_view_ends_with_the_summary_and_gives_the_cursor_back() -> None:
    terminal = Terminal()
    tree, groups, now_s = recorded_tree(99)
    view = choose(terminal, {"TERM": "xterm", "COLUMNS": "60"}, clock=lambda: now_s).build_view(groups)
    view.start(tree, 0.0)
    view.finish(tree, now_s)
    view.finish(tree, now_s)
    out = terminal.bytes.getvalue().decode()
    assert "model" in out
    assert "\x1b[?25h" in out


def test_no_color_means_no_colour() -> None:
    terminal = Terminal()
    tree, groups, now_s = recorded_tree(8)
    view = choose(terminal, {"TERM": "xterm", "NO_COLOR": "1"}, clock=lambda: now_s).build_view(groups)
    view.start(tree, 0.0)
    view.finish(tree, now_s)
    assert not re.search(rb"\x1b\[[0-9;]*3[0-9]m", terminal.bytes.getvalue())


def test_fetching_on_a_terminal_counts_bytes() -> None:
    terminal = Terminal("ascii")
    progress = choose(terminal, {"TERM": "xterm", "COLUMNS": "60"}, clock=lambda: 1.0).fetch_progress()
    with progress:
        progress.start(2_000_000, 2)
        progress.advance("torch.whl", 1_500_000)
        progress.finish("torch.whl")
        progress.note("mirror 2 is slow")
        progress.advance("numpy.whl", 500_000)
        progress.finish("numpy.whl")
    out = terminal.bytes.getvalue().decode("ascii")
    assert "mirror 2 is slow" in out
    assert "2.00 MB/2.00 MB" in out
    assert "2/2 files" in out


def test_numbers_are_short() -> None:
    assert [duration(s) for s in (0, 3.21, 9.99, 47.2, 192, 7500)] == [
        "0.0s",
        "3.2s",
        "10s",
        "47s",
        "3m12s",
        "2h05m",
    ]
    assert [size(b) for b in (812, 14_600_000, 2_900_000_000)] == ["812 B", "14.6 MB", "2.90 GB"]
    assert [number(v) for v in (0.0812, 12.3456, 0.0, 1e-9, float("nan"))] == [
        "0.0812",
        "12.35",
        "0.0000",
        "1.00e-09",
        "nan",
    ]
    assert shorten("abcdef", 4, "…") == "abc…"


def test_a_sparkline_bears_any_numbers() -> None:
    assert sparkline([1, 2, 3], "▁▅█") == "▁▅█"
    assert sparkline([1, 1], "▁█") == "▁▁"
    assert sparkline([float("nan"), float("inf")], "▁█") == "  "
    assert sparkline([-1.7e308, 1.7e308], "▁█") == "▁█"
    assert sparkline([], "▁█") == ""


def test_the_picture_in_the_readme_is_the_one_the_script_draws(tmp_path: Path) -> None:
    picture_path = tmp_path / "build.svg"
    command = [sys.executable, str(ROOT / "scripts/readme-picture"), "draw", "--output", str(picture_path)]
    subprocess.run(command, check=True, env={**os.environ, "COLUMNS": "20", "NO_COLOR": "1"})
    drawn_now = picture_path.read_text(encoding="utf-8")
    assert "train" in drawn_now
    assert "http" not in drawn_now.replace("http://www.w3.org/2000/svg", "").replace(
        "https://www.textualize.io", ""
    )
    assert drawn_now == (ROOT / "docs/images/build.svg").read_text(encoding="utf-8")
