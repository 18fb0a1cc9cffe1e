"""The lock's text: stable, sorted, one source a line; and the changes between two locks, for people."""

from __future__ import annotations

import json
import random

import jsonschema
import pytest
from pydantic import ValidationError

from reprobuild.core.lock_diff import lock_changes
from reprobuild.core.schemas import lock_schema
from reprobuild.domain.digest import Digest
from reprobuild.domain.lock import DebianBasePin, Lock, Source

PIN = DebianBasePin(
    suite="bookworm",
    snapshot="20261120T000000Z",
    release_sha256=Digest.of_bytes(b"release"),
    python_version="3.11",
    glibc_version="2.36",
)
INPUTS = {"python": "b" * 64, "base": "a" * 64, "data": "c" * 64}


def wheel(name: str, version: str = "1.0", content: bytes = b"", **more: object) -> Source:
    return Source.model_validate(
        {
            "kind": "wheel",
            "name": name,
            "version": version,
            "system": "x86_64-linux",
            "file_name": f"{name}-{version}-py3-none-any.whl",
            "sha256": Digest.of_bytes(content or f"{name} {version}".encode()),
            "size_bytes": 10,
            "index": "pypi",
            **more,
        }
    )


def data(name: str, content: bytes, path: str = "rows.csv") -> Source:
    return Source(
        kind="data",
        name=name,
        file_name=path.rpartition("/")[2],
        sha256=Digest.of_bytes(content),
        size_bytes=len(content),
        path=path,
    )


def lock(*sources: Source, pin: DebianBasePin = PIN) -> Lock:
    return Lock.model_validate({"inputs": INPUTS, "systems": {"x86_64-linux": pin}, "sources": sources})


SOURCES = (wheel("numpy", depends=("zlib",)), wheel("torch"), data("rows", b"1,2"), wheel("zlib"))


def test_it_reads_back_equal() -> None:
    text = lock(*SOURCES).to_text()
    again = Lock.model_validate_json(text)
    assert again.to_text() == text
    assert set(again.sources) == set(SOURCES)


def test_the_order_that_things_came_in_leaves_no_trace() -> None:
    texts = set()
    for seed in range(10):
        sources, inputs = list(SOURCES), list(INPUTS.items())
        random.Random(seed).shuffle(sources)
        random.Random(seed).shuffle(inputs)
        made = Lock.model_validate(
            {"inputs": dict(inputs), "systems": {"x86_64-linux": PIN}, "sources": sources}
        )
        texts.add(made.to_text())
    assert len(texts) == 1


def test_a_changed_pin_is_a_changed_line() -> None:
    before = lock(*SOURCES).to_text().splitlines()
    after = lock(*SOURCES[:-1], wheel("zlib", "2.0")).to_text().splitlines()
    assert [line for line in before if line not in after] == [
        line for line in before if '"zlib", "version"' in line
    ]
    assert len(before) == len(after)


def test_sources_are_sorted_by_kind_and_name() -> None:
    document = json.loads(lock(*SOURCES).to_text())
    assert [(s["kind"], s["name"]) for s in document["sources"]] == [
        ("data", "rows"),
        ("wheel", "numpy"),
        ("wheel", "torch"),
        ("wheel", "zlib"),
    ]


def test_it_ends_with_a_newline_and_holds_no_null() -> None:
    text = lock(*SOURCES).to_text()
    assert text.endswith("}\n") and "null" not in text


def test_a_lock_without_sources_is_json_too() -> None:
    assert json.loads(lock().to_text())["sources"] == []


def test_it_passes_the_published_schema() -> None:
    jsonschema.Draft202012Validator(lock_schema()).validate(json.loads(lock(*SOURCES).to_text()))


@pytest.mark.parametrize(
    "before, after", [('"size_bytes": 10', '"size_bytes": -1'), ("sha256-", "md5-"), ('"index"', '"where"')]
)
def test_a_damaged_lock_is_refused(before: str, after: str) -> None:
    with pytest.raises(ValidationError):
        Lock.model_validate_json(lock(*SOURCES).to_text().replace(before, after))


def test_a_build_needs_the_sources_of_its_system_and_those_of_all() -> None:
    arm = wheel("torch").model_copy(update={"system": "aarch64-linux"})
    found = lock(*SOURCES, arm).for_system("x86_64-linux")
    assert arm not in found and data("rows", b"1,2") in found


def lines(before: Lock | None, after: Lock) -> list[str]:
    return [change.line() for change in lock_changes(before, after)]


def test_equal_locks_have_no_changes() -> None:
    assert lines(lock(*SOURCES), lock(*reversed(SOURCES))) == []


def test_a_first_lock_adds_all() -> None:
    assert lines(None, lock(wheel("numpy"), data("rows", b"1,2"))) == [
        "+ base x86_64-linux  bookworm 20261120T000000Z",
        f"+ data rows  {Digest.of_bytes(b'1,2')[:20]}…",
        "+ wheel numpy  1.0",
    ]


def test_each_kind_of_change_has_its_line() -> None:
    before = lock(
        wheel("numpy"), wheel("old"), wheel("same", content=b"x"), data("rows", b"1,2"), data("moved", b"3")
    )
    after = lock(
        wheel("numpy", "2.0"),
        wheel("new"),
        wheel("same", content=b"y"),
        data("rows", b"1,3"),
        data("moved", b"3", "data/rows.csv"),
        pin=PIN.model_copy(update={"snapshot": "20261121T000000Z"}),
    )
    assert lines(before, after) == [
        "~ base x86_64-linux  bookworm 20261120T000000Z → bookworm 20261121T000000Z",
        "~ data moved  path rows.csv → path data/rows.csv",
        f"~ data rows  {Digest.of_bytes(b'1,2')[:20]}… → {Digest.of_bytes(b'1,3')[:20]}…",
        "+ wheel new  1.0",
        "~ wheel numpy  1.0 → 2.0",
        "- wheel old  1.0",
        f"~ wheel same  1.0 {Digest.of_bytes(b'x')[:20]}… → 1.0 {Digest.of_bytes(b'y')[:20]}…",
    ]
