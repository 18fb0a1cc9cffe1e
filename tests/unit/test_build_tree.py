"""The build tree says where each build stands, and keeps what the record needs in bounded memory."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from reprobuild.adapters.nix_log import NixLogParser
from reprobuild.core.build_state import HISTORY, BuildStatus, drv_name
from reprobuild.core.build_tree import BuildTree, failed_build
from reprobuild.domain.build_event import (
    ActivityKind,
    ActivityStarted,
    ActivityStopped,
    BuildStarted,
    BuildStopped,
    Expected,
    LogLine,
    Message,
    Progress,
    StageMetrics,
)

GOLDEN = Path(__file__).parent.parent / "golden/nix-log"
RELEASES = ("2.8.0", "2.26.3", "2.34.8")
TRAIN = "/nix/store/kxaci1j7594kh5ksprdynjzqrwlx0l1q-digits-train.drv"
MODEL = "/nix/store/1whmfrygp5clrazl1kgbvwlvvlkpd87h-digits-model.drv"


def replay(name: str, tree: BuildTree | None = None) -> BuildTree:
    tree, parser = tree or BuildTree(), NixLogParser()
    for second, line in enumerate((GOLDEN / name).read_text(encoding="utf-8").splitlines()):
        for event in parser.feed(line):
            tree.apply(event, float(second))
    return tree


def statuses(tree: BuildTree) -> dict[str, str]:
    return {state.name: state.status.value for state in tree.builds.values()}


@pytest.mark.parametrize("release", RELEASES)
def test_each_build_ends_as_it_did(release: str) -> None:
    assert statuses(replay(f"{release}-keep-going.log")) == {
        "digits-base": "done",
        "digits-wheel-numpy": "done",
        "digits-wheel-torch": "done",
        "digits-train": "done",
        "digits-evaluate": "done",
        "digits-failing": "failed",
        "digits-after": "blocked",
    }


def test_a_build_given_up_because_another_failed_is_neither_done_nor_failed() -> None:
    tree = replay("2.8.0-fail-fast.log")
    tree.finish(99.0, succeeded=False)
    (wheel,) = [state for name, state in tree.builds.items() if "-wheel-" in name]
    assert wheel.status is BuildStatus.STOPPED
    assert statuses(tree)["digits-failing"] == "failed"
    assert "digits-evaluate" not in statuses(tree)  # the closing "build of 'A', 'B' failed" blames nobody


@pytest.mark.parametrize("release", RELEASES)
def test_a_failed_build_keeps_its_last_lines_and_reason(release: str) -> None:
    tree = replay(f"{release}-fail-fast.log")
    (failed,) = tree.with_status(BuildStatus.FAILED)
    assert list(failed.last_lines) == [f"line {n}" for n in range(5, 15)]
    assert failed.log_lines == 16
    assert "failed with exit code 3" in failed.reason
    assert failed.finished_s is not None


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("2.8.0-timeout.log", "timed out after 1 seconds"),
        ("2.34.8-timeout.log", "timed out after 1 seconds"),
        ("2.8.0-hash-mismatch.log", "hash mismatch"),
        ("2.8.0-missing-feature.log", "is required to build"),
        ("2.34.8-missing-feature.log", "missing system features"),
    ],
)
def test_every_way_to_fail_names_its_build(name: str, reason: str) -> None:
    (failed,) = replay(name).with_status(BuildStatus.FAILED)
    assert reason in failed.reason


def test_an_interrupted_build_is_stopped() -> None:
    tree = replay("2.8.0-interrupted.log")
    tree.finish(9.0, succeeded=False)
    assert statuses(tree) == {"digits-slow": "stopped"}
    assert [error.text for error in tree.errors] == ["error: interrupted by the user"]


def test_the_log_digest_covers_all_lines_and_memory_does_not_grow() -> None:
    tree, digest = BuildTree(keep_lines=3), hashlib.sha256()
    for number in range(1000):
        text = f"\x1b[1mline {number}"
        tree.apply(LogLine(1, TRAIN, text), 0.0)
        tree.apply(LogLine(1, TRAIN, "@reprobuild {}", structured=True), 0.0)
        digest.update(f"{text}\n@reprobuild {{}}\n".encode())
        tree.apply(StageMetrics(1, TRAIN, "train", number, 0, {"loss": 1.0}), 0.0)
    state = tree.builds[TRAIN]
    assert state.log_digest == digest.hexdigest()
    assert list(state.last_lines) == ["line 997", "line 998", "line 999"]
    assert state.metrics is not None
    assert len(state.metrics.history["loss"]) == HISTORY


def test_lone_surrogates_can_be_digested() -> None:
    tree = BuildTree()
    tree.apply(LogLine(1, TRAIN, "\ud800"), 0.0)
    assert len(tree.builds[TRAIN].log_digest) == 64


def test_training_and_resources_are_kept_for_the_record() -> None:
    tree = replay("2.8.0-keep-going.log")
    by_name = {state.name: state for state in tree.builds.values()}
    metrics = by_name["digits-train"].metrics
    assert metrics is not None
    assert (metrics.epoch, metrics.epochs, metrics.values) == (6, 6, {"loss": 0.3})
    assert by_name["digits-evaluate"].resources == {"wall_s": 1.5, "cpu_s": 1.2, "peak_memory_bytes": 1000}


def test_planned_builds_have_names_labels_and_times() -> None:
    tree = BuildTree([TRAIN, MODEL], labels={TRAIN: "train"})
    assert [(s.name, s.label) for s in tree.builds.values()] == [
        ("digits-train", "train"),
        ("digits-model", ""),
    ]
    tree.apply(BuildStarted(7, TRAIN, "ssh-ng://gpu"), 10.0)
    assert tree.builds[TRAIN].elapsed_s(12.5) == 2.5
    tree.apply(BuildStopped(7, TRAIN), 13.0)  # no counters from this Nix: a stop without an error is good
    assert tree.builds[TRAIN].status is BuildStatus.DONE
    assert tree.builds[TRAIN].elapsed_s(99.0) == 3.0
    assert tree.builds[MODEL].status is BuildStatus.PLANNED


def test_a_late_error_message_overrules_a_stop() -> None:
    tree = BuildTree([TRAIN])
    tree.apply(BuildStarted(7, TRAIN, ""), 1.0)
    tree.apply(BuildStopped(7, TRAIN), 2.0)
    tree.apply(Message(0, f"error: builder for '{TRAIN}' failed with exit code 1"), 3.0)
    assert tree.builds[TRAIN].status is BuildStatus.FAILED
    assert tree.builds[TRAIN].finished_s == 2.0


def test_downloads_count_bytes_once() -> None:
    tree = BuildTree()
    tree.apply(Expected(1, ActivityKind.COPY_PATH, 1000), 0.0)
    tree.apply(
        ActivityStarted(2, ActivityKind.COPY_PATH, 3, "copying", ("/nix/store/x", "a", "b"), 1, ""), 0.0
    )
    tree.apply(ActivityStarted(3, ActivityKind.FILE_TRANSFER, 3, "downloading", ("https://x",), 2, ""), 0.0)
    tree.apply(Progress(2, ActivityKind.COPY_PATH, "", 400, 600, 0, 0), 0.0)
    tree.apply(Progress(3, ActivityKind.FILE_TRANSFER, "", 90, 100, 0, 0), 0.0)
    totals = tree.download_totals()
    assert (totals.done_bytes, totals.expected_bytes, totals.running) == (400, 1000, 1)
    tree.apply(ActivityStopped(2, ActivityKind.COPY_PATH, ""), 1.0)
    assert (tree.download_totals().done_bytes, tree.download_totals().finished) == (400, 1)


def test_a_substituted_path_is_counted() -> None:
    tree = replay("2.8.0-substitute.log")
    assert tree.download_totals().finished == 1
    assert not tree.builds


@pytest.mark.parametrize(
    ("path", "name"), [(TRAIN, "digits-train"), ("/nix/store/short.drv", "short"), ("x", "x"), ("", "")]
)
def test_names_come_from_paths(path: str, name: str) -> None:
    assert drv_name(path) == name


def test_a_failed_dependency_blocks_and_does_not_blame() -> None:
    assert failed_build(f"error: 2 dependencies of derivation '{MODEL}' failed to build") == (
        MODEL,
        BuildStatus.BLOCKED,
    )
    assert failed_build("error: attribute 'x' missing") is None


def test_a_build_that_nix_sends_away_keeps_its_machine() -> None:
    tree = BuildTree()
    tree.apply(BuildStarted(1, TRAIN, "gpu"), 0)
    tree.apply(BuildStarted(2, TRAIN, ""), 1)  # the machine's own word of it
    assert tree.builds[TRAIN].machine == "gpu"
