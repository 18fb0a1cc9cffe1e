"""The pipelines that `reprobuild ci` writes, run step by step as their systems would, with a real Nix.

Not run as they stand: the steps that install Nix, Python and reprobuild (this machine has them), the check-out (the
project is there) and GitHub's cache action (what it would carry over, `.reprobuild/ci`, is copied).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.integration.conftest import World, write_tiny

pytestmark = pytest.mark.integration

INSTALLED_HERE = {"install Nix and Python", "install reprobuild"}
ACTIONS = {"check out": "actions/checkout@v5", "cache of store paths": "actions/cache@v5"}
SYSTEMS = ("github", "gitlab")
VERIFIED = "verdict: same bytes"


@dataclass
class Run:
    status: int
    output: str
    steps: list[str] = field(default_factory=list)  # GitHub: what was run, in order


def pipeline(world: World, project: Path, system: str) -> Any:
    file = world.reprobuild("ci", system, cwd=project).stdout.strip()
    return yaml.safe_load(Path(file).read_text())


def run(world: World, project: Path, system: str) -> Run:
    document = pipeline(world, project, system)
    return _github(world, project, document) if system == "github" else _gitlab(world, project, document)


def _bash(
    world: World, folder: Path, script: str, variables: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:{world.environment()['PATH']}"
    return world.run(["bash", "-eo", "pipefail", "-c", script], cwd=folder, env={"PATH": path, **variables})


def _github(world: World, project: Path, document: Any) -> Run:
    """Outputs, conditions and the end at the first failure, as GitHub has them."""
    job = document["jobs"]["rebuild"]
    outputs: dict[str, str] = {}
    ran = Run(0, "")
    file = project.parent / "github-output"
    for step in job["steps"]:
        if step["name"] in ACTIONS:
            assert step["uses"] == ACTIONS[step["name"]]
            continue
        if step["name"] in INSTALLED_HERE or not _condition(step.get("if"), outputs):
            continue
        assert "${{" not in step["run"]
        file.write_text("")
        variables = {"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(file)}
        folder = project / step.get("working-directory", job["defaults"]["run"]["working-directory"])
        done = _bash(world, folder, step["run"], variables)
        ran.steps.append(step["name"])
        ran.output += done.stdout + done.stderr
        for line in file.read_text().splitlines():
            name, _, value = line.partition("=")
            outputs[f"steps.{step['id']}.outputs.{name}"] = value
        if done.returncode != 0:
            ran.status = done.returncode
            break
    assert ran.status or outputs["steps.model.outputs.drv"].endswith("-tiny-1.0.0.drv")
    return ran


def _condition(text: str | None, outputs: dict[str, str]) -> bool:
    if text is None:
        return True
    compared = re.fullmatch(r"(steps\.[\w.]+) == '(\w+)'", text)
    assert compared is not None, f"this test cannot judge `{text}`"
    return outputs.get(compared[1]) == compared[2]


def _gitlab(world: World, project: Path, document: Any) -> Run:
    """One shell for the whole script; `before_script` only installs."""
    script = "\n".join(document["rebuild tiny"]["script"])
    done = _bash(world, project, script, {"GITLAB_CI": "true", "CI_PIPELINE_SOURCE": "push"})
    return Run(done.returncode, done.stdout + done.stderr)


@pytest.fixture
def changed(tiny: Path) -> Path:
    """The tiny project with a training that no other test has built."""
    (tiny / "train.py").write_text((tiny / "train.py").read_text() + f"# {tiny}\n")
    (tiny / ".git").mkdir()
    return tiny


@pytest.mark.parametrize("system", SYSTEMS)
def test_it_builds_verifies_and_does_neither_again(
    world: World, changed: Path, tmp_path: Path, system: str
) -> None:
    first = run(world, changed, system)
    assert first.status == 0, first.output
    assert VERIFIED in first.output and "reprobuild.lock is fresh" in first.output
    if system == "github":
        assert first.steps[-3:] == ["build", "verify", "put store paths into the cache"]

    # another machine: an empty store, a fresh check-out, and what the cache carried over
    other = world.fresh_store(tmp_path / "other")
    again = tmp_path / "again"
    shutil.copytree(changed, again, ignore=shutil.ignore_patterns("result", "roots"))
    second = run(other, again, system)
    assert second.status == 0, second.output
    assert "an earlier run built and verified just this" in second.output
    assert VERIFIED not in second.output
    assert (again / "result").readlink() == (changed / "result").readlink()
    assert other.file(str((again / "result").readlink())).is_dir()

    # a change: what it does not touch comes from the cache, and all of it is verified here
    evaluate = again / "evaluate.py"
    evaluate.write_text(evaluate.read_text() + "# changed\n")
    third = run(other, again, system)
    assert third.status == 0, third.output
    assert "building 2 derivations: evaluate, model" in third.output
    assert re.search(r"^train +same bytes", third.output, re.MULTILINE), third.output


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_training_that_differs_fails_with_artifact_stage_and_test(
    world: World, changed: Path, system: str
) -> None:
    source = changed / "train.py"
    source.write_text(
        source.read_text()
        + "import time\nstage.save_json('numbers.json', {'lr': 0.1, 'now': str(time.time_ns())})\n"
    )
    failed = run(world, changed, system)
    said = r"tiny-1\.0\.0-\w{12}: stage train: test of same bytes: differs, 0 of 1 rebuilds equal"
    assert failed.status == 1 and re.search(f"^error: {said}$", failed.output, re.MULTILINE), failed.output
    annotated = re.search(f"^::error title=reprobuild%3A verify::{said}", failed.output, re.MULTILINE)
    assert (annotated is not None) == (system == "github")
    assert not (changed / ".reprobuild/ci/closure").exists()  # what was not verified is not kept


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_missed_goal_fails_with_artifact_and_metric(world: World, changed: Path, system: str) -> None:
    spec = changed / "reprobuild.toml"
    spec.write_text(spec.read_text().replace("minimum = 0.5", "minimum = 0.99"))
    failed = run(world, changed, system)
    assert failed.status == 100, failed.output
    assert "error: tiny 1.0.0: model failed\n" in failed.output
    assert re.search(r"^  \| .*score", failed.output, re.MULTILINE)
    if system == "github":
        assert re.search(
            r"^::error title=reprobuild%3A build-failed::tiny 1\.0\.0: model failed%0A.*score",
            failed.output,
            re.MULTILINE,
        )


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_stale_lock_fails_before_anything_is_built(world: World, changed: Path, system: str) -> None:
    spec = changed / "reprobuild.toml"
    spec.write_text(spec.read_text() + '\n[python]\nrequirements = ["packaging"]\n')
    failed = run(world, changed, system)
    assert failed.status == 1 and "run `reprobuild lock`" in failed.output
    assert not (changed / "result").exists()


def test_it_runs_in_the_folder_of_the_project(world: World, changed: Path) -> None:
    inner = write_tiny(changed / "models" / "inner")
    document = pipeline(world, inner, "github")
    job = document["jobs"]["rebuild"]
    assert job["defaults"]["run"]["working-directory"] == "models/inner"
    (cache,) = [step for step in job["steps"] if step.get("uses", "").startswith("actions/cache@")]
    assert cache["with"]["path"] == "models/inner/.reprobuild/ci"
    assert (changed / ".github/workflows/reprobuild.yml").is_file()
