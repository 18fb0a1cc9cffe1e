"""Progress is told in Nix's log protocol, not too often, and in words for people."""

import io
import json

import pytest

from reprobuild_worker.errors import WorkerError
from reprobuild_worker.nixlog import NixReporter
from reprobuild_worker.progress import Progress


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def told():
    """(progress, clock, epochs told to the trajectory, function that reads what was printed)"""
    stdout, stderr, clock, epochs = io.StringIO(), io.StringIO(), Clock(), []
    reporter = NixReporter(stdout=stdout, stderr=stderr, clock=clock)
    progress = Progress("train", reporter, lambda epoch, values: epochs.append((epoch, values)))

    def printed():
        lines = stderr.getvalue().splitlines()
        assert all(line.startswith("@nix ") for line in lines)
        return [json.loads(line.removeprefix("@nix ")) for line in lines], stdout.getvalue().splitlines()

    return progress, clock, epochs, printed


def test_epochs_show_as_phase_and_activity(told):
    progress, clock, epochs, printed = told
    for epoch in progress.epochs(3):
        clock.now += 1
        progress.log({"loss": 1 / epoch})
    nix, lines = printed()
    assert [e["phase"] for e in nix if e["action"] == "setPhase"] == [
        "train: epoch 1/3",
        "train: epoch 2/3 loss 1",
        "train: epoch 3/3 loss 0.5",
    ]
    (start,) = [e for e in nix if e["action"] == "start"]
    assert start["type"] == 101
    results = [e for e in nix if e["action"] == "result"]
    assert {e["type"] for e in results} == {105}
    assert {e["id"] for e in results} == {start["id"]}
    assert [e["fields"] for e in results] == [[1, 3, 0, 0], [2, 3, 0, 0], [3, 3, 0, 0]]
    assert nix[-1] == {"action": "stop", "id": start["id"]}
    assert epochs == [(1, {"loss": 1.0}), (2, {"loss": 0.5}), (3, {"loss": 1 / 3})]
    assert lines[0] == "epoch 1/3  loss 1"


def test_each_epoch_is_told_to_machines_once(told):
    progress, _, _, printed = told
    for _ in progress.epochs(2):
        progress.log({"loss": 0.25, "accuracy": 0.5})
    events = [json.loads(line.removeprefix("@reprobuild ")) for line in printed()[1] if line[0] == "@"]
    assert events[1] == {
        "event": "metrics",
        "stage": "train",
        "epoch": 2,
        "epochs": 2,
        "values": {"loss": 0.25, "accuracy": 0.5},
    }


def test_many_quick_steps_make_few_lines(told):
    progress, clock, _, printed = told
    for _ in progress.steps(range(1000)):
        clock.now += 0.001
    nix, _ = printed()
    assert 4 <= len([e for e in nix if e["action"] == "result"]) <= 6
    assert nix[-2]["fields"] == [1000, 1000, 0, 0]


def test_what_is_over_at_once_is_not_shown(told):
    progress, _, _, printed = told
    assert list(progress.steps([1, 2])) == [1, 2]
    assert printed()[0] == []


def test_an_unknown_length_is_zero(told):
    progress, clock, _, printed = told
    for _ in progress.steps(iter("ab")):
        clock.now += 1
    assert printed()[0][1]["fields"] == [1, 0, 0, 0]


def test_stopping_early_ends_the_epoch(told):
    progress, _, epochs, _ = told
    for epoch in progress.epochs(10):
        progress.log({"loss": epoch})
        if epoch == 2:
            break
    assert not progress.in_epoch
    assert epochs == [(1, {"loss": 1}), (2, {"loss": 2})]


def test_a_loss_that_is_not_a_number_stops_the_training(told):
    progress, *_ = told
    with pytest.raises(WorkerError, match="loss is nan in epoch 1"):
        for _ in progress.epochs(2):
            progress.log({"loss": float("nan")})


def test_epochs_do_not_nest(told):
    progress, *_ = told
    with pytest.raises(WorkerError, match="inside of another"):
        for _ in progress.epochs(2):
            list(progress.epochs(2))
