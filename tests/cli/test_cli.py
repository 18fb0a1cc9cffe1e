"""The command line: results on stdout, all else on stderr, one JSON document with `--json`, and its statuses."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reprobuild import __version__
from reprobuild.cli import app as app_module
from reprobuild.cli import wiring
from reprobuild.domain.finding import Finding
from reprobuild.services.build import BuildRequest, BuildService
from reprobuild.services.doctor import DoctorService

from ..unit.artifact_examples import write_artifact
from ..unit.build_fakes import World
from ..unit.test_lock_service import World as LockWorld

ROOT = Path(__file__).parents[2]


def start(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A process of its own, as a user starts it."""
    return subprocess.run(
        [sys.executable, "-m", "reprobuild", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT / "python"), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


class Called:
    def __init__(self, status: int, stdout: str, stderr: str) -> None:
        self.status, self.stdout, self.stderr = status, stdout, stderr

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document; anything beside it on stdout fails here."""
        found = json.loads(self.stdout)
        assert isinstance(found, dict)
        return found


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str]) -> Any:
    def run(*arguments: str) -> Called:
        status = app_module.run(arguments)
        out, err = capfd.readouterr()
        return Called(status, out, err)

    return run


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A project with a scripted Nix behind the real commands; the working folder is the project."""
    world = World(tmp_path)
    monkeypatch.chdir(world.project().path)

    def build_service(self: Any, **options: Any) -> BuildService:
        return world.service()

    monkeypatch.setattr(wiring.Session, "build_service", build_service)
    monkeypatch.setattr(wiring.Session, "verify_service", lambda self, builders=(): world.verify_service())
    monkeypatch.setattr(wiring.Session, "lock_service", lambda self: LockWorld().service())
    return world


def built(world: World) -> None:
    world.service().run(world.project(), BuildRequest(), world.new_view)


# As a user starts it


def test_version_is_quick_and_imports_nothing_heavy() -> None:
    done = start("--version", PYTHONPROFILEIMPORTTIME="1")
    assert (done.returncode, done.stdout) == (0, f"reprobuild {__version__}\n")
    for module in ("typer", "pydantic", "httpx", "rich"):
        assert f" {module}\n" not in done.stderr


def test_the_command_line_itself_imports_no_service_and_no_adapter() -> None:
    done = start("schema", "--help", PYTHONPROFILEIMPORTTIME="1")
    for module in ("httpx", "pysequoia", "reprobuild.services", "reprobuild.adapters", "torch"):
        assert f" {module}\n" not in done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_can_be_shown(shell: str) -> None:
    done = start("--show-completion", shell)
    assert done.returncode == 0 and "reprobuild" in done.stdout


def test_completion_completes_commands(tmp_path: Path) -> None:
    done = start(
        COMP_WORDS="reprobuild ve", COMP_CWORD="1", _REPROBUILD_COMPLETE="complete_bash", HOME=str(tmp_path)
    )
    assert "verify" in done.stdout.split()


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = f"{sys.executable} -m reprobuild schema | head -c 1; echo ' '${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command],
        env={**os.environ, "PYTHONPATH": str(ROOT / "python")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout.split()[-1], done.stderr) == ("0", "")


# What is wrong with the request


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["lock", "--chek"], "No such option: --chek", "see `reprobuild lock --help`"),
        (["lokc"], "No such command 'lokc'", "see `reprobuild --help`"),
        (["nix", "biuld"], "No such command 'biuld'", "see `reprobuild nix --help`"),
        (["verify", "--rounds", "0"], "expected at least 1", "see `reprobuild verify --help`"),
        (["verify", "--rounds", "x"], "expected a whole number", "see `reprobuild verify --help`"),
        (["build", "--set"], "Option '--set' requires an argument", "see `reprobuild --help`"),
        (
            ["nix", "diff", "", "."],
            "argument 3 is empty",
            "if it stands for a variable of the shell: is that set?",
        ),
        (
            ["lineage", "", "--withdrawn"],
            "is empty",
            "if it stands for a variable of the shell: is that set?",
        ),
        (
            ["nix", "diff", "x" * 300, "."],
            "a name is longer than a file's can be",
            "was the content of a file passed, not its name?",
        ),
        (["init", "--template", "quikstart"], "there is no such template", "did you mean `quickstart`?"),
        (
            ["schema", "--lock", "--record"],
            "--lock and --record: one document at a time",
            "leave out --record",
        ),
    ],
)
def test_a_wrong_request_is_2_with_a_clear_line_and_a_next_step(
    call: Any, arguments: list[str], message: str, hint: str
) -> None:
    called = call(*arguments)
    assert (called.status, called.stdout) == (2, "")
    assert called.stderr.startswith("error: ") and message in called.stderr
    assert called.stderr.endswith(f"hint: {hint}\n")
    assert "Input should" not in called.stderr and "Traceback" not in called.stderr


@pytest.mark.parametrize("arguments", [[], ["nix"]])
def test_no_command_shows_the_help(call: Any, arguments: list[str]) -> None:
    called = call(*arguments)
    assert (called.status, called.stdout) == (2, "")
    assert called.stderr.startswith("Usage: reprobuild")


@pytest.mark.parametrize(
    "arguments",
    [
        ["lock", "--json"],
        ["lock", "--check", "--json"],
        ["fetch", "--json"],
        ["plan", "--json"],
        ["nix", "build", "--json"],
        ["build", "--json"],
        ["verify", "--json"],
        ["nix", "eval", "--json"],
        ["show", "--json"],
        ["init", "--template", "none", "--json"],
        ["lock", "--json", "--chek"],
    ],
)
def test_a_failure_is_one_document_too(
    call: Any, arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    called = call(*arguments)
    assert called.document["schema"] == "reprobuild.error/1"
    assert called.document["exit_status"] == called.status == 2
    assert called.document["message"] and called.document["slug"]
    assert called.stderr == ""


def test_json_after_two_dashes_belongs_to_somebody_else(call: Any, world: World) -> None:
    called = call("nix", "shell", "--stage", "none", "--", "tool", "--json")
    assert called.stdout == "" and called.stderr.startswith("error: ")


def test_an_error_shows_both_sides_and_no_traceback(call: Any, world: World) -> None:
    called = call("build", "--set", "train.params.epochs=2.5")
    assert called.stderr == (
        "error: --set train.params.epochs=2.5: value of another type than the declared one\n"
        "  expected a whole number, such as 3  reprobuild.toml\n"
        "  actual   2.5 (a number)\n"
    )


def test_debug_shows_the_traceback(call: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    called = call("--debug", "lock")
    assert "Traceback" in called.stderr and "error: no reprobuild.toml" in called.stderr


def test_a_bug_is_70_and_says_that_it_is_ours(
    call: Any, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(BuildService, "run", broken)
    called = call("build")
    assert called.status == 70
    assert called.stderr.startswith("error: this is a bug in reprobuild: ZeroDivisionError: by zero\n")
    called = call("build", "--json")
    assert (called.status, called.document["slug"], called.document["exit_status"]) == (70, "bug", 70)


def test_an_interruption_is_130_also_in_json(
    call: Any, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(BuildService, "run", interrupted)
    assert call("build").status == 130
    called = call("build", "--json")
    assert (called.status, called.document["exit_status"]) == (130, 130)


# init


def test_init_says_what_it_wrote_and_what_comes_next(call: Any, tmp_path: Path) -> None:
    called = call("init", str(tmp_path / "digits"))
    files = called.stdout.splitlines()
    assert str(tmp_path / "digits/reprobuild.toml") in files
    assert all(Path(file).is_file() for file in files)
    assert called.stderr == f"next: cd {tmp_path / 'digits'} && reprobuild lock && reprobuild nix build\n"


def test_init_never_overwrites(call: Any, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("mine")
    called = call("init", str(tmp_path), "--json")
    assert called.status == 2 and "train.py is there already" in called.document["message"]
    assert [path.name for path in tmp_path.iterdir()] == ["train.py"]


def test_init_in_json(call: Any, tmp_path: Path) -> None:
    document = call("init", str(tmp_path / "new"), "--template", "scikit-learn", "--json").document
    assert document["schema"] == "reprobuild.init/1"
    assert "reprobuild.toml" in document["files"] and document["folder"] == str(tmp_path / "new")


# ci, and what GitHub shows beside a run


def test_ci_says_what_it_wrote_and_does_not_overwrite(call: Any, world: World) -> None:
    called = call("ci", "github")
    file = Path(".github/workflows/reprobuild.yml").resolve()
    assert (called.status, called.stdout, called.stderr) == (0, f"{file}\n", "next: commit it\n")
    assert f"pip install --quiet reprobuild=={__version__}\n" in file.read_text()
    file.write_text("mine")
    assert call("ci", "github").status == 2 and file.read_text() == "mine"
    assert call("ci", "github", "--force", "--requirement", "ours").status == 0
    assert "pip install --quiet ours\n" in file.read_text()


def test_ci_prints_what_it_would_write(call: Any, world: World) -> None:
    called = call("ci", "gitlab", "--dry-run")
    assert called.stdout.startswith("# Written by `reprobuild ci gitlab`")
    document = call("ci", "gitlab", "--dry-run", "--json").document
    assert (document["schema"], document["written"]) == ("reprobuild.ci/1", False)
    assert document["text"] == called.stdout and not Path(document["file"]).exists()


def test_errors_are_shown_beside_a_run_on_github(
    call: Any, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.failing["digits-train"] = ["100 % boom"]
    assert "::error" not in call("build").stderr
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for options in ([], ["--json"]):
        (line,) = [one for one in call("build", *options).stderr.splitlines() if one.startswith("::error")]
        assert line.startswith(
            "::error title=reprobuild%3A build-failed::digits 1.0.0: stage train failed%0A"
        )
        assert "%0A  | 100 %25 boom%0Ahint: " in line


def test_a_failed_verification_names_artifact_stage_and_test(
    call: Any, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    built(world)
    world.differing.add("digits-train")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    said = r"digits-1\.0\.0-\w{12}: stage train: test of same bytes: differs, 0 of 1 rebuilds equal"
    lines = call("verify").stderr.splitlines()
    assert any(re.fullmatch(f"error: {said}", line) for line in lines)
    assert any(re.fullmatch(f"::error title=reprobuild%3A verify::{said}", line) for line in lines)


# lock


def test_lock_prints_the_changes_and_notes_the_rest(call: Any, world: World) -> None:
    Path("reprobuild.lock").unlink()
    called = call("lock")
    assert called.status == 0
    assert "+ deb libc6  1" in called.stdout.splitlines()
    assert called.stderr.startswith("reprobuild.lock written: ")
    assert call("lock").stdout == ""
    assert call("lock", "--quiet").stderr == ""


def test_lock_in_json(call: Any, world: World) -> None:
    Path("reprobuild.lock").unlink()
    document = call("lock", "--dry-run", "--json").document
    assert (document["schema"], document["written"]) == ("reprobuild.lock-changes/1", False)
    assert {"how", "kind", "name", "before", "after"} == document["changes"][0].keys()
    assert not Path("reprobuild.lock").exists()


def test_lock_check_is_0_or_1(call: Any, world: World) -> None:
    called = call("lock", "--check")
    assert (called.status, called.stdout) == (0, "")
    Path("rows.csv").write_text("changed")
    called = call("lock", "--check")
    assert (called.status, called.stdout) == (1, "")
    assert "dataset rows: content differs from the lock" in called.stderr
    Path("reprobuild.lock").unlink()
    assert call("lock", "--check").status == 1


# build, verify, eval, show


def test_build_prints_the_store_path_alone(call: Any, world: World) -> None:
    called = call("build")
    assert (called.status, called.stdout) == (0, f"{world.drv('digits-1.0.0').out_path}\n")
    assert "digits-1.0.0-" in called.stderr and "(built, " in called.stderr
    assert Path("result").is_symlink()
    again = call("nix", "build", "--no-link", "--quiet")
    assert (again.stdout, again.stderr) == (called.stdout, "")


def test_build_in_json(call: Any, world: World) -> None:
    document = call("build", "--json").document
    assert document["schema"] == "reprobuild.build/1"
    assert document["metrics"] == {"accuracy": 0.975, "loss": 0.25}
    assert document["outputs"] == {"model": world.drv("digits-1.0.0").out_path}
    assert document["artifact_id"].startswith("digits-1.0.0-")
    assert call("build", "--json").document["built"] == []


def test_a_failing_stage_in_json_has_nixs_status_and_its_lines(call: Any, world: World) -> None:
    world.failing["digits-train"] = ["boom"]
    called = call("build", "--json")
    assert (called.status, called.document["exit_status"]) == (100, 100)
    assert called.document["details"] == ["boom"]


def test_verify_is_0_for_equal_and_1_for_different_bytes(call: Any, world: World) -> None:
    built(world)
    called = call("verify")
    assert called.status == 0 and called.stdout.endswith("verdict: same bytes\n")
    world.differing.add("digits-train")
    called = call("verify", "--json")
    assert called.status == 1 and called.document["ok"] is False
    assert called.document["schema"] == "reprobuild.verdict/1"


def test_eval_prints_derivations(call: Any, world: World) -> None:
    assert f"model        {world.drv('digits-1.0.0').drv_path}" in call("nix", "eval").stdout
    document = call("nix", "eval", "--json").document
    assert document["schema"] == "reprobuild.eval/1"
    assert document["derivations"]["train"]["drv_path"] == world.drv("digits-train").drv_path


def test_show_is_for_people(call: Any, tmp_path: Path) -> None:
    called = call("show", str(write_artifact(tmp_path / "artifact")))
    lines = called.stdout.splitlines()
    assert lines[0].startswith("digits-1.0.0-") and lines[1] == "  reads digits"
    assert "  accuracy  0.975  goal: at least 0.9" in lines
    assert "  loss      0.25   goal: at least 0 and at most 1.5" in lines
    assert "  rows  CC0-1.0  2026-11-20  a citation" in lines
    assert "made with  seed 7, level exact" in lines
    assert (called.status, called.stderr) == (0, "")


def test_show_in_json(call: Any, tmp_path: Path) -> None:
    document = call("show", str(write_artifact(tmp_path / "artifact")), "--json").document
    assert document["schema"] == "reprobuild.show/1"
    assert {file["path"] for file in document["files"]} >= {"weights.safetensors", "metrics.json"}


def test_show_of_a_project_shows_its_result(call: Any, world: World) -> None:
    called = call("show", ".")
    assert called.status == 2 and "there is no result at" in called.stderr
    call("build")
    assert call("show", ".").stdout.startswith("digits-1.0.0-")
    assert call("show").status == 0


def test_show_of_something_else_is_refused(call: Any, tmp_path: Path) -> None:
    called = call("show", str(tmp_path))
    assert called.status == 2
    assert f"error: {tmp_path} is not a reprobuild artifact" in called.stderr
    assert "manifest.json: No such file or directory" in called.stderr
    artifact = write_artifact(tmp_path / "artifact")
    (artifact / "spec.json").write_text("{}")
    called = call("show", str(artifact))
    assert called.status == 2 and "its documents lack the key 'model'" in called.stderr


@pytest.mark.parametrize("arguments", [("why", "numpy"), ("sbom",), ("show", ".", "--inputs")])
def test_a_folder_that_is_neither_project_nor_result_says_what_would_be(
    call: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    called = call(*arguments)
    assert called.status == 2 and f"error: {tmp_path} is neither a project nor a result" in called.stderr
    assert called.stderr.endswith("hint: go to the project's folder, or name a result\n")


# doctor, schema


@pytest.mark.parametrize(("state", "status"), [("ok", 0), ("warning", 0), ("failed", 3)])
def test_doctor_is_3_when_this_host_cannot_build(
    call: Any, monkeypatch: pytest.MonkeyPatch, state: Any, status: int
) -> None:
    finding = Finding("disk", state, "1 GB free", "free some")
    monkeypatch.setattr(wiring.Session, "doctor_service", lambda self: DoctorService([lambda: finding]))
    called = call("doctor")
    assert (called.status, called.stdout) == (status, f"{state}  disk  1 GB free\n")
    assert called.stderr == ("" if state == "ok" else "disk: free some\n")
    document = call("doctor", "--json").document
    assert (document["schema"], document["ok"]) == ("reprobuild.doctor/1", status == 0)


@pytest.mark.parametrize(
    "option", [[], ["--lock"], ["--record"], ["--verdict"], ["--hardware"], ["--defaults"]]
)
def test_schema_prints_one_document(call: Any, option: list[str]) -> None:
    called = call("schema", *option)
    assert called.status == 0 and called.document and called.stderr == ""


def test_colour_variables_change_no_result(tmp_path: Path) -> None:
    artifact = str(write_artifact(tmp_path / "artifact"))
    plain = start("show", artifact).stdout
    assert start("show", artifact, NO_COLOR="1").stdout == plain
    assert start("show", artifact, FORCE_COLOR="1", CLICOLOR_FORCE="1").stdout == plain
    assert "\x1b" not in plain
