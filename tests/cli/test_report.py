"""`reprobuild report`: the page on stdout or in a file, its one document, its statuses; neither Nix nor a network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reprobuild.cli import app as app_module
from reprobuild.domain.digest import Digest

from ..unit.test_report import write_result


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a result, no records and nothing among the downloads."""
    for name in ("CACHE", "CONFIG", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name))
    write_result(tmp_path / "result")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str]) -> Any:
    def run(*arguments: str) -> tuple[int, str, str]:
        status = app_module.run(("report", *arguments))
        out, err = capfd.readouterr()
        return status, out, err

    return run


def test_the_page_is_on_stdout_or_in_a_file_and_both_are_equal(place: Path, call: Any) -> None:
    status, page, err = call()
    assert (status, err) == (0, "") and page.startswith("<!doctype html>")
    assert call("result", "--output", "report.html") == (0, "", "")
    assert (place / "report.html").read_text() == page


def test_the_document_names_risks_and_what_the_page_was_made_from(place: Path, call: Any) -> None:
    status, out, _ = call("--json", "-o", "report.html")
    found = json.loads(out)
    assert (status, found["schema"], found["html"]) == (0, "reprobuild.report/1", None)
    assert found["sha256"] == str(Digest.of_bytes((place / "report.html").read_bytes()))
    assert found["origins"]["manifest.json"] == str(
        Digest.of_bytes((place / "result/manifest.json").read_bytes())
    )
    assert ("signatures", False) in {(one["area"], one["known"]) for one in found["risks"]}
    assert json.loads(call("--json")[1])["html"] == (place / "report.html").read_text()


def test_a_projects_folder_stands_for_its_result(place: Path, call: Any) -> None:
    (place / "reprobuild.toml").touch()
    assert call(".")[1] == call("result")[1]


@pytest.mark.parametrize(
    ("arguments", "slug"),
    [
        (("gone",), "not-a-result"),
        (("--verdict", "gone.json"), "usage"),
        (("--trust", "gone.toml"), "trust-file"),
        (("--advisories", "gone"), "advisories"),
        (("--since", "gone"), "usage"),
        (("--output", "gone/report.html"), "usage"),
    ],
)
def test_what_cannot_be_read_or_written_is_an_error_of_the_request(
    arguments: tuple[str, ...], slug: str, call: Any
) -> None:
    status, out, _ = call(*arguments, "--json")
    assert (status, json.loads(out)["slug"]) == (2, slug)
