"""Claims about causes: what a difference is laid to, and what it is not."""

from __future__ import annotations

import gzip
import io
import json
import struct
import zipfile
from pathlib import Path
from typing import Any, get_args

import pytest

from reprobuild.core.comparison.archives import read_archive
from reprobuild.core.comparison.content import Findings, explain
from reprobuild.core.comparison.machine_facts import machine_facts
from reprobuild.core.comparison.numeric_causes import numeric_causes
from reprobuild.core.comparison.ranking import ranked
from reprobuild.core.comparison.text_causes import Context
from reprobuild.core.comparison.times import Clock
from reprobuild.domain.comparison import Cause, CauseClass, Origin, TensorDifference, TrajectoryDifference

BUILT_S = 1_795_240_000.0  # 2026-11-21
CONTEXT = Context(Clock((BUILT_S,), BUILT_S + 60), frozenset({"builder-one", "builder-two"}))


def on(gpu: str, driver: str = "580.65", sms: int = 132) -> Origin:
    """A side whose stage measured this GPU."""
    return Origin(
        hardware={"driver": {"version": driver}, "gpus": [{"name": gpu, "multiprocessors": sms}] * 2}
    )


def explained(first: str | bytes, second: str | bytes) -> Findings:
    sides = [side.encode() if isinstance(side, str) else side for side in (first, second)]
    return explain("x", sides[0], sides[1], CONTEXT)


def said(first: str | bytes, second: str | bytes) -> list[tuple[str, str, str]]:
    return [(one.cause, one.place, one.certainty) for one in ranked(explained(first, second).causes)]


def as_json(value: Any) -> str:
    return json.dumps(value)


@pytest.mark.parametrize(
    ("first", "second", "cause"),
    [
        ("at 2026-11-21T05:00:01.5Z", "at 2026-11-21T05:00:09.1Z", "time stamp"),
        ("Sat Nov 21 05:00:01 2026", "Sat Nov 21 05:00:02 2026", "time stamp"),
        ("Sat, 21 Nov 2026 05:00:01 GMT", "Sat, 21 Nov 2026 06:00:01 GMT", "time stamp"),
        ("[05:00:01] done", "[05:00:02] done", "time stamp"),
        ("run-20261121-050001", "run-20261121-050002", "time stamp"),
        (f"at {BUILT_S:.0f}", f"at {BUILT_S + 5:.0f}", "time stamp"),
        (f"at {BUILT_S * 1000:.0f}", f"at {BUILT_S * 1000 + 5:.0f}", "time stamp"),
        ("<object at 0x7f10a0b0c0d0>", "<object at 0x7f10a0b0c0e0>", "memory address"),
        ("/build/tmpab12cd34/x.csv", "/build/tmpxy12cd34/x.csv", "embedded path"),
        ("worker pid=17 ready", "worker pid=18 ready", "host name or process id"),
        ("on host: alpha-1", "on host: beta-2", "host name or process id"),
        ("on builder-one.", "on builder-two.", "host name or process id"),
        ("b\na\nc\n", "a\nb\nc\n", "set or folder order"),
        ("{'a', 'b', 'c'}", "{'c', 'b', 'a'}", "set or folder order"),
    ],
)
def test_a_text_is_laid_to_what_differs_in_it(first: str, second: str, cause: str) -> None:
    assert [one[0] for one in said(first, second)] == ([cause] if cause else [])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("loss 0.25", "loss 0.75"),
        ("rows 1423456789", "rows 1623456789"),  # ten digits, but not the day of a build
        ("one line", "two lines\nare here"),
    ],
)
def test_a_text_without_a_sign_gets_no_cause(first: str, second: str) -> None:
    assert said(first, second) == []


def test_in_a_very_long_line_the_place_that_differs_is_looked_at() -> None:
    start = "x," * 100_000
    assert said(f"{start}05:00:01", f"{start}05:00:02") == [("time stamp", "line 1", "shown")]


def test_a_cause_is_shown_only_if_nothing_else_differs() -> None:
    assert said("at 05:00:01", "at 05:00:02") == [("time stamp", "line 1", "shown")]
    assert said("at 05:00:01, loss 1", "at 05:00:02, loss 2") == [("time stamp", "line 1", "likely")]


def test_two_causes_on_one_line_are_both_named() -> None:
    found = said("at 05:00:01 in /tmp/a/x", "at 05:00:02 in /tmp/b/x")
    assert found == [("time stamp", "line 1", "shown"), ("embedded path", "line 1", "shown")]


@pytest.mark.parametrize(
    ("first", "second", "cause", "place"),
    [
        ({"run": {"made": BUILT_S}}, {"run": {"made": BUILT_S + 1}}, "time stamp", "key run.made"),
        ({"train_seconds": 1.5}, {"train_seconds": 1.75}, "time stamp", "key train_seconds"),
        ({"pid": 17}, {"pid": 18}, "host name or process id", "key pid"),
        ({"cpu": "Xeon"}, {"cpu": "EPYC"}, "host name or process id", "key cpu"),
        ({"cpu": 1.5}, {"cpu": 1.75}, "time stamp", "key cpu"),
        ({"node": 1}, {"node": 2}, "", ""),
        ({"node": "a"}, {"node": "b"}, "host name or process id", "key node"),
        ({"on": "builder-one"}, {"on": "elsewhere"}, "", ""),
        ({"score": 0.123456789}, {"score": 0.123456788}, "reduction order", "key score"),
        ({"score": 0.1}, {"score": 0.2}, "", ""),
        ({"names": ["a", "b"]}, {"names": ["b", "a"]}, "set or folder order", "key names"),
        ([{"x": 1, "y": 2}], [{"y": 2, "x": 1}], "key order", "keys of [0]"),
    ],
)
def test_a_json_document_is_laid_to_what_differs_in_it(
    first: Any, second: Any, cause: str, place: str
) -> None:
    assert [one[:2] for one in said(as_json(first), as_json(second))] == ([(cause, place)] if cause else [])


def zipped(members: dict[str, str], year: int = 2026) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, text in members.items():
            file.writestr(zipfile.ZipInfo(name, (year, 1, 1, 0, 0, 0)), text)
    return buffer.getvalue()


def test_archives_packed_otherwise_are_told_from_archives_with_other_content() -> None:
    same = {"a.txt": "x", "b.txt": "y"}
    assert said(zipped(same), zipped(same, 2025)) == [("archive metadata", "zip headers", "shown")]
    (order,) = explained(zipped(same), zipped({"b.txt": "y", "a.txt": "x"})).causes
    assert "member 1 is a.txt and b.txt" in order.evidence
    inside = said(zipped(same), zipped(same | {"b.txt": "05:00:01"}))
    assert inside == []
    inside = said(zipped(same | {"b.txt": "05:00:02"}), zipped(same | {"b.txt": "05:00:01"}))
    assert inside == [("time stamp", "member b.txt, line 1", "shown")]


def test_what_is_inside_a_compressed_file_is_looked_at() -> None:
    first, second = (gzip.compress(text, mtime=0) for text in (b"at 05:00:01", b"at 05:00:02"))
    assert said(first, second) == [("time stamp", "line 1", "shown")]
    assert read_archive(first[:9]) is None


@pytest.mark.parametrize("form", ["<I", ">I", "<Q", ">d", "<d"])
def test_a_time_in_a_binary_file_is_found_at_its_offset(form: str) -> None:
    sides = [
        b"\0\1\2HEAD\xff" + struct.pack(form, type_(BUILT_S + shift)) + b"\0" * 20
        for shift in (0, 7)
        for type_ in [float if form[1] == "d" else int]
    ]
    assert said(*sides) == [("time stamp", "byte 8", "likely")]


def test_odd_documents_are_compared_without_an_error() -> None:
    huge = "9" * 400
    assert said(f'{{"a": {huge}}}', f'{{"a": {huge}1}}') == []
    deep = "[" * 5000 + "]" * 5000
    assert explained(deep, deep + " ").format in ("json", "text")
    nested = "[" * 600 + "%s" + "]" * 600
    assert said(nested % "05:00:01", nested % "05:00:02") == [("time stamp", "line 1", "shown")]
    nested = "[" * 600 + '"%s"' + "]" * 600
    assert said(nested % "05:00:01", nested % "05:00:02")[0][0] == "time stamp"
    claimed = '{"schema": "reprobuild.trajectory/1", "epochs": %s}'
    assert explained(claimed % "[1]", claimed % "[2]").format == "json"
    assert said('{"a": NaN}', '{"a": 1e999}') == []


def test_random_bytes_are_no_time() -> None:
    assert said(b"\0" + b"\x11\x22\x93" * 20, b"\0" + b"\x71\x0e\xd2" * 20) == []


def tensor(**fields: Any) -> TensorDifference:
    usual = {
        "file": "w.safetensors", "name": "w", "state": "values", "first_dtype": "F32", "elements": 100,
        "differing_elements": 90, "max_absolute": 1e-7, "relative_to_largest": 1e-7, "max_ulp": 3,
    }  # fmt: skip
    return TensorDifference.model_validate(usual | fields)


LARGE = {"max_absolute": 1.0, "relative_to_largest": 0.5, "max_ulp": 10**8}


def parted(what: str, **fields: Any) -> TrajectoryDifference:
    usual = {"file": "trajectory.json", "parted": what, "epoch": 4, "sample_order_equal": True}
    return TrajectoryDifference.model_validate(usual | fields)


@pytest.mark.parametrize(
    ("tensors", "trajectory", "expected"),
    [
        ([tensor()], None, ("reduction order", "tensor w")),
        ([tensor(**LARGE)], None, ("unseeded random source", "tensor w")),
        ([tensor(**LARGE, permuted=True)], None, ("set or folder order", "tensor w")),
        ([tensor(**LARGE, second_garbage=3)], None, ("uninitialised memory", "tensor w")),
        (
            [tensor(**LARGE)],
            parted("initial weights", epoch=None),
            ("unseeded random source", "initial weights"),
        ),
        (
            [tensor(**LARGE, second_garbage=3)],
            parted("initial weights", epoch=None),
            ("uninitialised memory", "tensor w"),
        ),
        (
            [tensor(**LARGE, second_garbage=3)],
            parted("sample order"),
            ("unseeded random source", "epoch 4, sample order"),
        ),
        ([tensor(**LARGE)], parted("sample order"), ("unseeded random source", "epoch 4, sample order")),
        ([tensor()], parted("weights"), ("reduction order", "epoch 4, weights")),
        # rounding grows while the training goes on: the epoch in which they part tells
        (
            [tensor(**LARGE)],
            parted("weights", relative_value_difference=1e-7),
            ("reduction order", "epoch 4, weights"),
        ),
        (
            [tensor(**LARGE)],
            parted("weights", relative_value_difference=0.1),
            ("unseeded random source", "epoch 4, weights"),
        ),
    ],
)
def test_numbers_are_laid_to_what_their_size_and_course_say(
    tensors: Any, trajectory: Any, expected: Any
) -> None:
    first = ranked(numeric_causes(tensors, trajectory, None, None))[0]
    assert (first.cause, first.place) == expected


@pytest.mark.parametrize(
    ("first", "second", "cause"),
    [
        (
            Origin(host={"cpu_model": "A"}),
            Origin(host={"cpu_model": "A"}),
            ("reduction order", "order of sums"),
        ),
        (Origin(host={"cpu_model": "A"}), Origin(host={"cpu_model": "B"}), ("cpu kernels", "on A and B")),
        (
            Origin(numerics={"cpu_capability": "AVX2"}),
            Origin(numerics={"cpu_capability": "AVX512"}),
            ("cpu kernels", "with kernels for AVX2 and AVX512"),
        ),
        (
            Origin(numerics={"threads": 1}),
            Origin(numerics={"threads": 2}),
            ("reduction order", "with 1 and 2 threads"),
        ),
        (Origin(numerics={"threads": 1}), Origin(), ("reduction order", "order of sums")),
        (Origin(numerics={"gpu": "H100"}), Origin(numerics={"gpu": "H100"}), ("gpu kernels", "both on H100")),
        (on("H100"), on("H100"), ("gpu kernels", "both on H100, driver 580.65")),
        (on("H100"), on("A100"), ("gpu kernels", "on GPUs H100 and A100")),
        (on("H100"), on("H100", "590.44"), ("gpu kernels", "on drivers 580.65 and 590.44")),
        (
            on("H100", sms=132),
            on("H100", sms=114),
            ("gpu kernels", "on SM counts 132 and 114"),
        ),
        (on("H100"), Origin(), ("gpu kernels", "on GPUs H100 and unknown")),
    ],
)
def test_rounding_is_laid_to_what_the_machines_have_apart(
    first: Origin, second: Origin, cause: tuple[str, str]
) -> None:
    found = ranked(numeric_causes([tensor()], None, first, second))[0]
    assert (found.cause, found.evidence.endswith(cause[1])) == (cause[0], True), found.evidence


def test_what_is_unknown_of_a_machine_is_no_difference() -> None:
    known = Origin(host={"cpu_model": "A"}, numerics={"cpu_capability": "AVX2", "threads": 2})
    found = numeric_causes([tensor()], None, known, Origin(numerics={"threads": None}))
    assert [one.cause for one in found] == ["reduction order"]
    assert machine_facts(known) == {"cpu_model": "A", "cpu_capability": "AVX2", "threads": "2"}


def test_causes_are_said_once_for_each_file_and_the_best_shown_come_first() -> None:
    def one(certainty: str, place: str) -> Cause:
        return Cause.model_validate(
            {"cause": "time stamp", "file": "x", "place": place, "evidence": "e", "certainty": certainty}
        )

    other = Cause(cause="key order", file="x", place="p", evidence="e", certainty="shown")
    found = ranked([one("possible", "a"), one("likely", "b"), one("likely", "c"), other])
    assert [(cause.cause, cause.place) for cause in found] == [("key order", "p"), ("time stamp", "b")]
    assert found[1].evidence == "e (and at 2 more places)"


@pytest.mark.parametrize("page", ["formats/comparison.md", "how-to/differences.md"])
def test_the_pages_name_every_class(page: str) -> None:
    text = (Path(__file__).parents[2] / "docs" / page).read_text(encoding="utf-8").replace("`", "")
    assert [name for name in get_args(CauseClass) if f"\n| {name} | " not in text] == []
