"""Nix's internal-json log becomes typed events, on every release we recorded, whatever a builder prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reprobuild.adapters.nix_log import NixLogParser
from reprobuild.domain.build_event import (
    ActivityKind,
    ActivityResult,
    ActivityStarted,
    BuildStarted,
    BuildStopped,
    Event,
    Expected,
    LogLine,
    Message,
    PhaseSet,
    Progress,
    StageHardware,
    StageHost,
    StageMetrics,
    StageResources,
    WorkerEvent,
    plain_text,
)

GOLDEN = Path(__file__).parent.parent / "golden/nix-log"
RECORDED = sorted(GOLDEN.glob("*.log"))
RELEASES = ("2.8.0", "2.26.3", "2.34.8")
BIG = 2**63 + 11  # ids are unsigned 64-bit
DRV = "/nix/store/kxaci1j7594kh5ksprdynjzqrwlx0l1q-digits-train.drv"


def nix(**entry: object) -> str:
    return "@nix " + json.dumps(entry)


def feed(*lines: str) -> list[Event]:
    parser = NixLogParser()
    return [event for line in lines for event in parser.feed(line)]


def recorded(name: str) -> list[Event]:
    return feed(*(GOLDEN / name).read_text(encoding="utf-8").splitlines())


BUILD = nix(action="start", id=BIG, type=105, level=3, text="building", fields=[DRV, "", 1, 1])


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_no_line_of_a_recorded_log_is_lost_or_misread(path: Path) -> None:
    parser = NixLogParser()
    for line in path.read_text(encoding="utf-8").splitlines():
        events = parser.feed(line)
        assert events
        assert not any(isinstance(event, Message) and event.text.startswith("@nix") for event in events)


@pytest.mark.parametrize("release", RELEASES)
def test_a_training_is_followed_on_every_release(release: str) -> None:
    events = recorded(f"{release}-keep-going.log")
    metrics = [event for event in events if isinstance(event, StageMetrics)]
    assert [(one.epoch, one.epochs, one.values["loss"]) for one in metrics] == [
        (epoch, 6, (9 - epoch) / 10) for epoch in range(1, 7)
    ]
    assert {one.drv_path.endswith("-digits-train.drv") for one in metrics} == {True}
    assert [event.phase for event in events if isinstance(event, PhaseSet)] == ["train"]


@pytest.mark.parametrize("release", RELEASES)
def test_what_a_builder_counts_belongs_to_its_build_on_every_release(release: str) -> None:
    events = recorded(f"{release}-keep-going.log")
    (epochs,) = [event for event in events if isinstance(event, ActivityStarted) and event.text == "epochs"]
    assert epochs.drv_path.endswith("-digits-train.drv")
    steps = [
        event for event in events if isinstance(event, Progress) and event.activity_id == epochs.activity_id
    ]
    assert [(one.done, one.expected) for one in steps] == [(done, 6) for done in range(1, 7)]


@pytest.mark.parametrize("release", RELEASES)
def test_every_build_starts_and_stops_once(release: str) -> None:
    events = recorded(f"{release}-keep-going.log")
    started = [event.drv_path for event in events if isinstance(event, BuildStarted)]
    stopped = [event.drv_path for event in events if isinstance(event, BuildStopped)]
    assert len(started) == len(set(started)) == 6
    assert sorted(started) == sorted(stopped)


def test_measurements_come_as_events_and_stay_in_the_log() -> None:
    text = '@reprobuild {"event":"resources","stage":"train","wall_s":1.5,"cpu_s":1.2}'
    line, event = feed(BUILD, nix(action="result", id=BIG, type=101, fields=[text]))[1:]
    assert line == LogLine(BIG, DRV, text, structured=True)
    assert event == StageResources(BIG, DRV, "train", {"wall_s": 1.5, "cpu_s": 1.2})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"event":"host","stage":"train","cpu":"x"}', StageHost(BIG, DRV, "train", {"cpu": "x"})),
        (
            '{"event":"hardware","stage":"train","gpus":[]}',
            StageHardware(BIG, DRV, "train", {"gpus": []}),
        ),
        ('{"event":"later","stage":"a","n":1}', WorkerEvent(BIG, DRV, "later", {"stage": "a", "n": 1})),
        ('{"event":"later","n":1}', WorkerEvent(BIG, DRV, "later", {"n": 1})),
    ],
)
def test_worker_events_have_their_type_or_stay_generic(text: str, expected: Event) -> None:
    assert feed(BUILD, nix(action="result", id=BIG, type=101, fields=["@reprobuild " + text]))[-1] == expected


@pytest.mark.parametrize(
    "text", ["@reprobuild {broken", "@reprobuild []", '@reprobuild {"event":3}', "@reprobuild "]
)
def test_a_line_that_only_looks_like_ours_is_an_ordinary_line(text: str) -> None:
    (line,) = feed(BUILD, nix(action="result", id=BIG, type=101, fields=[text]))[1:]
    assert line == LogLine(BIG, DRV, text)


def test_a_loss_that_is_not_a_number_is_still_a_metric() -> None:
    text = '@reprobuild {"event":"metrics","stage":"t","epoch":1,"values":{"loss":NaN,"name":"x","ok":true}}'
    event = feed(BUILD, nix(action="result", id=BIG, type=101, fields=[text]))[-1]
    assert isinstance(event, StageMetrics)
    assert list(event.values) == ["loss"]
    assert event.values["loss"] != event.values["loss"]


def test_escapes_are_stripped_from_messages() -> None:
    (message,) = feed(nix(action="msg", level=0, msg="\x1b[31;1merror:\x1b[0m no \x1b]8;;x\x07link"))
    assert message == Message(0, "error: no link")


@pytest.mark.parametrize(
    "line",
    [
        "@nix {broken",
        "@nix []",
        "@nix " + "[" * 100_000,
        nix(action="dance"),
        nix(action="stop"),
        nix(action="start", id="x", type=105),
        nix(action="result", id=1, type=101, fields=[None]),
        nix(action="msg", level=0),
        "warning: not JSON at all",
    ],
)
def test_a_malformed_line_becomes_a_message(line: str) -> None:
    assert feed(line) == [Message(3, line)]


def test_absent_fields_and_unknown_numbers_are_kept_as_they_are() -> None:
    assert feed(nix(action="start", id=BIG)) == [ActivityStarted(BIG, ActivityKind.UNKNOWN, 3, "", (), 0, "")]
    assert feed(nix(action="start", id=1, type=999, text="new")) == [
        ActivityStarted(1, 999, 3, "new", (), 0, "")
    ]
    assert feed(nix(action="result", id=1, type=999, fields=["a", 1])) == [ActivityResult(1, 999, ("a", 1))]
    assert feed(nix(action="result", id=1, type=105)) == [ActivityResult(1, 105, ())]
    assert feed(nix(action="result", id=1, type=106, fields=[101, 5])) == [Expected(1, 101, 5)]


def test_a_transfer_of_nix_itself_is_no_builders() -> None:
    transfer = nix(action="start", id=2, type=101, text="downloading", fields=["https://cache.example/x"])
    assert feed(BUILD, transfer)[1] == ActivityStarted(
        2, 101, 3, "downloading", ("https://cache.example/x",), 0, drv_path=""
    )


LOOSE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
ENTRY = st.fixed_dictionaries(
    {},
    optional={
        "action": st.sampled_from(["start", "stop", "result", "msg", "setPhase"]) | LOOSE,
        "id": st.integers(0, 3) | LOOSE,
        "type": st.sampled_from([0, 100, 101, 104, 105, 106, 107, 108]) | LOOSE,
        "fields": st.lists(st.text() | st.integers(), max_size=5) | LOOSE,
        "level": st.integers(0, 7) | LOOSE,
        "msg": LOOSE,
        "text": LOOSE,
        "parent": st.integers(0, 3) | LOOSE,
    },
)


@given(st.lists(st.text() | ENTRY.map(lambda entry: "@nix " + json.dumps(entry)), max_size=12))
def test_nothing_makes_the_parser_raise_or_lose_a_line(lines: list[str]) -> None:
    parser = NixLogParser()
    for line in lines:
        assert parser.feed(line) or not line.rstrip("\r\n")


@given(st.text(), st.booleans())
def test_no_worker_line_makes_the_parser_raise(text: str, quoted: bool) -> None:
    body = json.dumps({"event": text, "stage": text, "values": {text: 1}}) if quoted else text
    events = feed(BUILD, nix(action="result", id=BIG, type=101, fields=["@reprobuild " + body]))
    assert isinstance(events[1], LogLine)


@given(st.text())
def test_plain_text_holds_no_escape(text: str) -> None:
    assert "\x1b" not in plain_text(text)
    assert "\r" not in plain_text(text)
