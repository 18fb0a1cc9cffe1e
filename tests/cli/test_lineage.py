"""`reprobuild lineage`, `why --result`, `show --inputs`: exit statuses, the one JSON document, what people read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reprobuild.cli import app as app_module
from reprobuild.cli.options import locked_names
from reprobuild.core.schemas import lineage_schema
from reprobuild.domain.digest import Digest

from ..openlineage_oracle import check_event
from ..unit.lineage_examples import Records

COMMIT = "1234567890abcdef1234567890abcdef12345678"


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Records:
    """Three builds: the first two of the same shard, which lies in the working folder."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shard.csv").write_bytes(b"bad")
    found = Records(tmp_path / "state/reprobuild")
    found.build("a", {"x": b"bad"}, commit=COMMIT)
    found.build("b", {"y": b"bad"})
    found.build("c", {"x": b"good"})
    return found


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str]) -> Any:
    def run(*arguments: str) -> tuple[int, str, str]:
        status = app_module.run(arguments)
        out, err = capfd.readouterr()
        return status, out, err

    return run


def test_what_is_withdrawn_hits_results_and_the_status_says_so(call: Any, records: Records) -> None:
    status, out, err = call("lineage", "shard.csv", "--withdrawn")
    assert (status, out.splitlines()[0], err) == (1, "hit: 2 models, 4 stage outputs", "")
    assert "    model a 1.0.0 → stage prepare → data x" in out.splitlines()
    status, out, err = call("lineage", "nunpy", "--withdrawn")
    assert (status, out) == (0, "hit: 0 models, 0 stage outputs\n")
    assert err == "nunpy: not part of any of the 3 builds known here\n"


def test_a_range_of_versions_is_refused_and_no_all_clear(call: Any, records: Records) -> None:
    status, out, err = call("lineage", "numpy<3", "--withdrawn")
    assert (status, out) == (2, "") and err.startswith("error: numpy<3: a range of versions names nothing")


def test_a_build_that_cannot_be_judged_is_no_yes(call: Any, records: Records) -> None:
    records.build("old", {"z": b"?"}, with_lock=False, files=None)
    status, out, err = call("lineage", "nothing", "--withdrawn")
    assert (status, out) == (1, "hit: 0 models, 0 stage outputs\n")
    assert "not known what 1 build was made of" in err and "its lock was not kept" in err


def test_the_document_passes_the_published_schema(call: Any, records: Records) -> None:
    for arguments in (
        ["shard.csv"],
        [COMMIT, "--down"],
        ["model a 1.0.0", "--up"],
        ["shard.csv", "--withdrawn"],
    ):
        document = json.loads(call("lineage", *arguments, "--json")[1])
        jsonschema.Draft202012Validator(lineage_schema()).validate(document)
    assert document["sha256"] == Digest.of_bytes(b"bad")
    assert document["made_of"] is None and len(document["flowed_into"]) == 6


def test_what_no_build_knows_ends_with_1(call: Any, records: Records) -> None:
    (Path("x.csv")).write_text("edited")
    status, out, err = call("lineage", "x.csv")
    assert (status, out) == (1, "")
    assert f"of that name, with other content: data x  {Digest.of_bytes(b'bad')}" in err
    assert call("lineage", "x.csv", "--up")[0] == 1


def test_people_read_what_it_is_made_of_and_flowed_into(call: Any, records: Records) -> None:
    status, out, _ = call("lineage", "model a 1.0.0")
    assert status == 0
    assert "\nmade of\n" in out and f"  commit {COMMIT}\n" in out
    assert out.count("\nflowed into\n") == 1
    assert call("lineage", "data y", "--up")[1].count("\n") == 1  # data is made of nothing that we know


def test_events_are_one_a_line_and_with_json_one_document(call: Any, records: Records) -> None:
    status, out, _ = call("lineage", "model a 1.0.0", "--openlineage")
    events = [json.loads(line) for line in out.splitlines()]
    assert (status, len(events)) == (0, 6)
    for event in events:
        check_event(event)
    document = json.loads(call("lineage", "model a 1.0.0", "--openlineage", "--json")[1])
    assert document == {"schema": "reprobuild.openlineage/1", "events": events}
    assert call("lineage", "numpy", "--openlineage")[0] == 2


@pytest.mark.parametrize(
    "pair", [("--up", "--down"), ("--withdrawn", "--openlineage"), ("--up", "--withdrawn")]
)
def test_one_question_at_a_time(call: Any, records: Records, pair: tuple[str, str]) -> None:
    status, _, err = call("lineage", "numpy", *pair)
    assert status == 2 and f"{pair[0]} and {pair[1]}: one at a time" in err


def test_of_a_project_that_was_never_built_there_is_no_result(call: Any, records: Records) -> None:
    Path("project").mkdir()
    Path("project/reprobuild.toml").write_text("")
    status, _, err = call("lineage", "project")
    assert status == 2 and "there is no result at" in err


def test_a_record_is_shown_and_asked(call: Any, records: Records) -> None:
    record = str(min((records.folder / "records").iterdir()))
    status, out, _ = call("show", record, "--inputs")
    assert status == 0
    assert "data  (1, 3 B)" in out and f"  data x  3 B  {Digest.of_bytes(b'bad')}" in out.splitlines()
    document = json.loads(call("show", record, "--inputs", "--json")[1])
    assert document["needs"]["stage prepare"] == [
        "code prepare.py",
        f"commit {COMMIT}",
        "data x",
        "environment",
    ]
    assert {part["kind"] for part in document["parts"]} == {
        "model", "stage", "code", "commit", "data", "wheel", "deb",
    }  # fmt: skip
    for name in ("numpy", "NumPy==2.4.6", "x.csv", "data/x.csv", Digest.of_bytes(b"bad").hex, "shard.csv"):
        status, out, _ = call("why", name, "--result", record)
        assert status == 0 and out.startswith("model a 1.0.0\n"), name
    assert call("why", "scipy", "--result", record)[0] == 1
    assert call("why", "numpy", "--result", record, "--project", "elsewhere")[0] == 2


def test_a_record_whose_lock_is_gone_says_so(call: Any, records: Records) -> None:
    record = str(min((records.folder / "records").iterdir()))
    for lock in (records.folder / "locks").iterdir():
        lock.write_text("{}")
    status, _, err = call("show", record, "--inputs")
    assert status == 2 and "its lock was not kept" in err


def test_names_in_the_lock_here_are_completed(records: Records) -> None:
    assert locked_names("") == []
    (lock,) = {
        file.read_bytes() for file in (records.folder / "locks").iterdir() if b'"y"' in file.read_bytes()
    }
    Path("reprobuild.lock").write_bytes(lock)
    assert locked_names("") == ["libc6", "numpy", "y"] and locked_names("nu") == ["numpy"]
    Path("reprobuild.lock").write_text("{")
    assert locked_names("") == []
