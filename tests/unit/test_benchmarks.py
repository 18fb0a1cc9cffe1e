"""Claims about the benchmarks: what they divide by what, and that the page shows what was measured."""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from benchmarks import hashing, others, result, table, training
from benchmarks.contest import CommandFailedError, interleaved, ratios, timed

RUN = Path(table.__file__).parent / "run"


def run_script() -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("benchmarks_run", str(RUN))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    path, sys.dont_write_bytecode, before = sys.path[:], True, sys.dont_write_bytecode
    try:
        loader.exec_module(module)
    finally:
        sys.path[:], sys.dont_write_bytecode = path, before
    return module


def document(**changes: Any) -> dict[str, Any]:
    found = result.Result(
        name="noop",
        question="?",
        contenders={"ours": "a", "peer": "b"},
        samples={"ours": [2.0, 9.0, 3.0], "peer": [1.0, 3.0, 1.0]},
        ratios={"ours / peer": [2.0, 3.0, 3.0]},
        bars=[result.Bar("ours", 4.0, 3.0, "s"), result.Bar("ours / peer", 1.15, 3.0, "x")],
    )
    machine = {
        "cpu_model": "C",
        "cores": 2,
        "sha_instructions": False,
        "memory_gib": 23,
        "file_system": "ext2/ext3",
        "distribution": "D",
        "kernel": "6",
        "others": 0.1,
    }
    versions = {"nix": "2.8.0", "uv": "0.13", "python": "3.11", "reprobuild": "0.1.0", "commit": "abc"}
    return found.document(date="2026-11-21T00:00:00Z", machine=machine, versions=versions) | changes


def test_the_table_on_the_page_is_that_of_the_kept_results() -> None:
    page = table.PAGE.read_text(encoding="utf-8")
    assert table.with_table(page, result.read_all()) == page, "run `benchmarks/run --table`"


def test_each_kept_result_agrees_with_its_own_samples() -> None:
    for name, kept in result.read_all().items():
        assert name in run_script().NAMES
        for contender in kept["contenders"].values():
            assert len(contender["samples_s"]) == kept["repeat"]
            assert contender["median_s"] == result.middle(contender["samples_s"])
        for ratio in kept["ratios"].values():
            assert ratio["median"] == result.middle(ratio["samples"])
        for bar in kept["bars"]:
            assert bar["met"] == (bar["found"] <= bar["limit"])


def test_a_result_under_another_name_or_format_is_refused(tmp_path: Path) -> None:
    for broken in (document(name="other"), document(schema="reprobuild.benchmark/9")):
        (tmp_path / "noop.json").write_text(json.dumps(broken))
        with pytest.raises(ValueError, match="not a result of noop"):
            result.read_all(tmp_path)


def test_every_benchmark_says_how_often_it_runs_and_is_on_the_page() -> None:
    page = table.PAGE.read_text(encoding="utf-8")
    for name in run_script().NAMES:
        module = importlib.import_module(f"benchmarks.{name}")
        assert module.REPEAT >= 5
        assert callable(module.measure)
        assert f"| `{name}` |" in page


def test_contenders_take_turns_and_the_first_round_does_not_count() -> None:
    order: list[str] = []

    def contender(name: str) -> Mapping[str, float]:
        order.append(name)
        return {name: float(len(order))}

    samples = interleaved("x", [lambda: contender("a"), lambda: contender("b")], 2)
    assert order == ["a", "b"] * 3
    assert samples == {"a": [3.0, 5.0], "b": [4.0, 6.0]}


def test_without_warm_up_every_round_counts() -> None:
    assert interleaved("x", [lambda: {"a": 1.0}], 1, warm_up=False) == {"a": [1.0]}


def test_ratios_are_of_one_round_each_and_sum_what_belongs_together() -> None:
    samples = {"ours": [6.0, 10.0], "install": [2.0, 4.0], "hash": [1.0, 1.0]}
    assert ratios(samples, ["ours"], ["install", "hash"]) == [2.0, 2.0]


def test_a_command_that_fails_gives_no_time() -> None:
    with pytest.raises(CommandFailedError, match=r"(?s)ended with 3.*the reason"):
        timed([sys.executable, "-c", "print('the reason'); raise SystemExit(3)"])


def test_missed_bars_are_said_to_be_missed() -> None:
    text = table.table({"noop": document()})
    assert "| ours | 4.00 s | 3.00 s | met |" in text
    assert "| ours / peer | 1.150 | 3.000 | **missed** |" in text
    assert "| noop | ours | 3.000 s | 2.000 s | 9.000 s | 3 |" in text
    assert "| noop | ours / peer | 3.000 | 2.000 | 3.000 |" in text
    assert "C, 2 cores without SHA instructions" in text
    assert "noop (10%)" in text


def test_a_page_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="no <!-- begin"):
        table.with_table("# Performance", {})


def test_what_others_use_is_all_that_is_busy_and_not_ours(tmp_path: Path) -> None:
    assert others.busy_s("cpu  100 20 30 9999 8888 5 5 40 7 7\ncpu0 1 1 1 1 1 1 1 1\n") == 2.0
    stat = tmp_path / "stat"
    stat.write_text("cpu  0 0 0 0 0 0 0 0 0 0\n")
    meter = others.Meter(stat)
    assert meter.share() == 0.0
    stat.write_text("cpu  9999999 0 0 0 0 0 0 0 0 0\n")
    assert meter.share() == 1.0


def test_the_pass_hashes_every_byte_of_regular_files_once(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for number in range(700):
        (tmp_path / "folder" / f"{number}").write_bytes(b"x" * number)
    (tmp_path / "big").write_bytes(b"y" * (9 << 20))
    (tmp_path / "link").symlink_to("big")
    _, hashed = hashing.hash_pass(tmp_path)
    assert hashed == (9 << 20) + sum(range(700))


def test_the_largest_file_is_handed_out_first_and_alone() -> None:
    work = list(hashing.batches([(9 << 20, "big"), *((10, f"{n}") for n in range(600))]))
    assert work[0] == ["big"]
    assert [len(batch) for batch in work[1:]] == [500, 100]


def test_the_plain_run_gets_the_environment_of_the_stage_but_for_the_venv() -> None:
    stage = {
        "OMP_NUM_THREADS": "2",
        "PATH": "/nix/store/e/bin",
        "out": "/nix/store/o",
        "builder": "b",
        "HOME": "/x",
    }
    found = training.plain_variables(stage, venv=Path("/venv"), out=Path("/out"), scratch=Path("/scratch"))
    assert found == {
        "OMP_NUM_THREADS": "2",
        "PATH": "/venv/bin",
        "out": "/out",
        **dict.fromkeys(("HOME", "TMPDIR", "TMP", "TEMP"), "/scratch"),
    }


def test_the_timed_script_is_the_template_between_two_lines_of_clock() -> None:
    assert training.script_seconds("@reprobuild {}\nscript_s=4.2500\nend") == 4.25
    with pytest.raises(ValueError, match="found 0"):
        training.script_seconds("no time")
    source = training.HEAD + "x = 1\n" + training.TAIL
    compile(source, "train.py", "exec")
    assert source.index("_stage.params") < source.index("_begun = ") < source.index("x = 1")


def test_an_unknown_benchmark_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["run", "--only", "nothing"])
    with pytest.raises(SystemExit) as stopped:
        run_script().main()
    assert stopped.value.code == 2
    assert "start" in capsys.readouterr().err
