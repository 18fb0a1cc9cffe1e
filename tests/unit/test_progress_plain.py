"""Pipes and CI get quiet, foldable lines; the right renderer is chosen without importing rich."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest

from reprobuild.adapters.nix_log import NixLogParser
from reprobuild.cli.progress import choose
from reprobuild.core.build_state import drv_name
from reprobuild.core.build_tree import BuildTree
from reprobuild.domain.build_event import BuildStarted, BuildStopped, LogLine, StageMetrics

GOLDEN = Path(__file__).parent.parent / "golden/nix-log"
TRAIN = "/nix/store/kxaci1j7594kh5ksprdynjzqrwlx0l1q-digits-train.drv"


def shown(env: dict[str, str], name: str = "2.8.0-keep-going.log", quiet: bool = False) -> str:
    out, parser = io.StringIO(), NixLogParser()
    text = (GOLDEN / name).read_text(encoding="utf-8")
    planned = [line.split('"')[-2].strip() for line in text.splitlines() if '"msg":"  /nix' in line]
    groups = {drv: "wheels" for drv in planned if "-wheel-" in drv}
    labels = {drv: drv_name(drv).removeprefix("digits-") for drv in planned if drv not in groups}
    tree = BuildTree(planned, labels)
    view = choose(out, env, quiet, wall_clock=lambda: 1700000000.5).build_view(groups)
    view.start(tree, 0.0)
    for line in text.splitlines():
        for event in parser.feed(line):
            tree.apply(event, 0.0)
            view.event(event, tree, 0.0)
    tree.finish(1.0, succeeded=False)
    view.finish(tree, 1.0)
    view.finish(tree, 1.0)
    return out.getvalue()


def test_a_pipe_gets_a_line_per_start_end_and_epoch() -> None:
    assert shown({}).splitlines() == [
        "building 7 derivations: 2 for the environment, base, train, evaluate, failing, after",
        "base: started",
        "base: done after 0.0s",
        "failing: started",
        "failing: failed after 0.0s",
        "digits-wheel-numpy: done after 0.0s (1/2 wheels)",
        "digits-wheel-torch: done after 0.0s (2/2 wheels)",
        "train: started",
        *[f"train: epoch {epoch}/6 loss=0.{9 - epoch}000" for epoch in range(1, 7)],
        "train: done after 0.0s",
        "evaluate: started",
        "evaluate: done after 0.0s",
        "builds: 5 done, 1 failed, 1 blocked",
    ]


def test_github_folds_each_log_and_groups_do_not_nest() -> None:
    lines = shown({"GITHUB_ACTIONS": "true", "CI": "true"}).splitlines()
    assert "::group::failing: failed after 0.0s" in lines
    assert "| line 14" in lines
    markers = [line.partition("::group::")[1] or line for line in lines if line.startswith("::")]
    assert markers == ["::group::", "::endgroup::"] * 6


def test_gitlab_folds_with_sections() -> None:
    out = shown({"GITLAB_CI": "true"})
    assert (
        "\x1b[0Ksection_start:1700000000:reprobuild_1[collapsed=true]\r\x1b[0Kbase: done after 0.0s\n" in out
    )
    assert "\x1b[0Ksection_end:1700000000:reprobuild_1\r\x1b[0K\n" in out


def test_a_builder_cannot_give_commands_to_the_ci_system() -> None:
    out = io.StringIO()
    tree = BuildTree([TRAIN], {TRAIN: "train"})
    view = choose(out, {"GITHUB_ACTIONS": "true"}).build_view()
    for event in (
        BuildStarted(1, TRAIN, ""),
        LogLine(1, TRAIN, "::set-env name=PATH::/evil"),
        LogLine(1, TRAIN, "x ##[add-path]/evil"),
        StageMetrics(1, TRAIN, "train", 1, 2, {"::stop-commands::x": 1.0}),
        BuildStopped(1, TRAIN),
    ):
        tree.apply(event, 0.0)
        view.event(event, tree, 0.0)
    commands = [line for line in out.getvalue().splitlines() if line.lstrip().startswith("::")]
    assert commands == ["::group::train: done after 0.0s", "::endgroup::"]
    assert "##[" not in out.getvalue()


def test_the_log_of_an_interrupted_build_is_shown() -> None:
    assert "::group::slow: stopped after 0.0s\n| sleeping\n" in shown(
        {"GITHUB_ACTIONS": "true"}, "2.8.0-interrupted.log"
    )


def test_a_log_without_an_end_is_still_shown() -> None:
    out, tree = io.StringIO(), BuildTree([TRAIN], {TRAIN: "train"})
    view = choose(out, {"GITHUB_ACTIONS": "true"}).build_view()
    for event in (BuildStarted(1, TRAIN, ""), LogLine(1, TRAIN, "epoch 1")):
        tree.apply(event, 0.0)
        view.event(event, tree, 0.0)
    tree.finish(1.0, succeeded=False)
    view.finish(tree, 1.0)
    assert "::group::train: stopped after 1.0s\n| epoch 1\n::endgroup::\n" in out.getvalue()


def test_quiet_shows_nothing() -> None:
    assert shown({}, quiet=True) == ""
    assert shown({"REPROBUILD_PROGRESS": "none"}) == ""


def test_a_long_training_does_not_flood() -> None:
    out, tree = io.StringIO(), BuildTree([TRAIN], {TRAIN: "train"})
    view = choose(out, {}).build_view()
    for epoch in range(1, 5001):
        view.event(StageMetrics(1, TRAIN, "train", epoch, 5000, {"loss": 1.0}), tree, 0.0)
    lines = out.getvalue().splitlines()
    assert len(lines) <= 102
    assert lines[-1] == "train: epoch 5000/5000 loss=1"


def test_metrics_of_a_whole_stage_name_no_epoch() -> None:
    out, tree = io.StringIO(), BuildTree([TRAIN], {TRAIN: "evaluate"})
    choose(out, {}).build_view().event(
        StageMetrics(1, TRAIN, "evaluate", 0, 0, {"accuracy": 0.98}), tree, 0.0
    )
    assert out.getvalue() == "evaluate: accuracy=0.9800\n"


def test_fetching_says_little_and_sums_up() -> None:
    out, now = io.StringIO(), [0.0]
    with choose(out, {}, clock=lambda: now[0]).fetch_progress() as progress:
        progress.start(3_000_000, 3)
        for _ in range(3):
            now[0] += 1.5
            progress.advance("a.whl", 1_000_000)
            progress.finish("a.whl")
        progress.note("b.whl: \x1b[31mretried")
    assert out.getvalue().splitlines() == [
        "fetch: 3 files, 3.00 MB",
        "fetch: 1/3 files, 2.00 MB of 3.00 MB",
        "b.whl: retried",
        "fetch: 3/3 files, 3.00 MB of 3.00 MB in 4.5s",
    ]


def test_nothing_to_fetch_says_nothing() -> None:
    out = io.StringIO()
    with choose(out, {}).fetch_progress() as progress:
        progress.start(0, 0)
    assert out.getvalue() == ""


def test_a_stream_that_cannot_encode_gets_question_marks() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", write_through=True)
    choose(stream, {}).fetch_progress().note("größe")
    assert raw.getvalue() == b"gr??e\n"


@pytest.mark.parametrize(
    ("env", "is_tty", "name"),
    [
        ({"TERM": "xterm"}, True, "TerminalRenderer"),
        ({"TERM": "xterm"}, False, "PlainRenderer"),
        ({"TERM": "dumb"}, True, "PlainRenderer"),
        ({"TERM": "xterm", "CI": "true"}, True, "PlainRenderer"),
        ({"TERM": "xterm", "GITHUB_ACTIONS": "true"}, True, "PlainRenderer"),
        ({"TERM": "xterm", "REPROBUILD_PROGRESS": "plain"}, True, "PlainRenderer"),
        ({"REPROBUILD_PROGRESS": "live"}, False, "TerminalRenderer"),
    ],
)
def test_the_renderer_fits_the_stream(env: dict[str, str], is_tty: bool, name: str) -> None:
    stream = io.StringIO()
    stream.isatty = lambda: is_tty  # type: ignore[method-assign]
    assert type(choose(stream, env)).__name__ == name


def test_plain_progress_does_not_import_rich() -> None:
    program = (
        "import sys; from reprobuild.cli.progress import choose; choose(sys.stderr, {}).build_view();"
        "sys.exit('rich' in sys.modules)"
    )
    path = str(Path(__file__).parent.parent.parent / "python")
    subprocess.run(
        [sys.executable, "-c", program], check=True, env={"PYTHONPATH": path}, stderr=subprocess.PIPE
    )
