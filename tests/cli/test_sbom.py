"""`reprobuild sbom`: the document on stdout or in a file, everything else beside it, and its statuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reprobuild.cli import app as app_module
from reprobuild.domain.lock import Lock
from reprobuild.services.project import open_project

from ..unit.sbom_examples import PIN, SOURCES
from ..unit.spec_examples import SPEC

ADVISORY = {
    "id": "TEST-1",
    "affected": [{"package": {"ecosystem": "PyPI", "name": "mpmath"}, "versions": ["1.3.0"]}],
}
NOTHING_BUILT = "no result of this spec and lock"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A locked project that was never built, as the working folder; nothing is among the downloads."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (folder / "reprobuild.toml").write_text(SPEC)
    for name in ("rows.csv", "prepare.py", "train.py"):
        (folder / name).write_text("")
    inputs: Any = open_project(folder).input_digests()
    lock = Lock(inputs=inputs, systems={"x86_64-linux": PIN}, sources=SOURCES)
    (folder / "reprobuild.lock").write_text(lock.to_text())
    return folder


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str]) -> Any:
    def run(*arguments: str) -> tuple[int, str, str]:
        status = app_module.run(("sbom", *arguments))
        out, err = capfd.readouterr()
        return status, out, err

    return run


def test_the_document_alone_is_on_stdout(call: Any) -> None:
    status, out, err = call()
    assert (status, json.loads(out)["specVersion"]) == (0, "1.6")
    assert err.startswith(NOTHING_BUILT)
    assert call()[1] == out
    assert json.loads(call("--spec-version", "1.7")[1])["specVersion"] == "1.7"
    assert json.loads(call("--format", "spdx-json")[1])["spdxVersion"] == "SPDX-2.3"


def test_a_file_gets_the_same_bytes(call: Any, project: Path) -> None:
    out = call()[1]
    status, silent, _ = call(str(project), "--output", "model.json")
    assert (status, silent) == (0, "")
    assert (project / "model.json").read_text() == out
    status, _, err = call("--output", "none/model.json")
    assert status == 2 and "cannot write none/model.json" in err


def test_licences_with_the_unknown_ones_first(call: Any) -> None:
    status, out, _ = call("--licences")
    lines = out.splitlines()
    assert status == 0 and len(lines) == len(SOURCES) + 1
    assert lines[0] == "deb libbz2-1.0 1.0.8-5+b1       unknown (its file is not on this machine)"
    assert lines[-1].split() == ["model", "digits", "1.0.0", "MIT"]
    assert call("--licences", "--fail-on-unknown")[0] == 1
    assert call("--fail-on-unknown")[0] == 1


def test_a_known_vulnerability_is_a_no(call: Any, project: Path) -> None:
    (project / "advisory.json").write_text(json.dumps(ADVISORY))
    status, out, err = call("--advisories", "advisory.json")
    assert status == 1 and err.splitlines()[-1] == "TEST-1  wheel mpmath 1.3.0: no summary"
    assert [one["id"] for one in json.loads(out)["vulnerabilities"]] == ["TEST-1"]
    status, out, _ = call("--advisories", "advisory.json", "--format", "spdx-json", "-o", "x.json")
    assert (status, out) == (1, "TEST-1  wheel mpmath 1.3.0: no summary\n")
    (project / "advisory.json").write_text(json.dumps({**ADVISORY, "affected": []}))
    status, out, _ = call("--advisories", "advisory.json")
    assert status == 0 and "vulnerabilities" not in json.loads(out)


def test_one_json_document_has_it_all(call: Any) -> None:
    out = call("--json")[1]
    document = json.loads(out)
    assert document["schema"] == "reprobuild.sbom/1"
    assert document["document"]["bomFormat"] == "CycloneDX"
    assert document["licences"][0]["licence"] == "unknown"
    assert document["vulnerabilities"] == [] and document["gaps"][0].startswith(NOTHING_BUILT)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--spec-version", "1.5"], "cyclonedx-json has no version 1.5 here"),
        (["--format", "spdx-json", "--spec-version", "1.6"], "spdx-json has no version 1.6 here"),
        (["--licences", "--output", "x"], "--licences writes no document"),
        (["--advisories", "none"], "no advisories at none"),
        (["none"], "there is no result at"),
    ],
)
def test_what_makes_no_sense_is_refused(call: Any, arguments: list[str], said: str) -> None:
    status, out, err = call(*arguments)
    assert status == 2 and out == "" and said in err
