"""Flakes: template, `nix build`, and the store path of the command line. Offline, in a store of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.integration.conftest import World
from tests.integration.nix_tools import REPOSITORY, STAND_IN_PROJECT, copy_checkout

pytestmark = pytest.mark.integration

SETTINGS = """build-users-group =
experimental-features = nix-command flakes
substituters =
sandbox = true
sandbox-fallback = false
sandbox-paths ="""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This repository as a flake input, at a path that needs care."""
    return copy_checkout(tmp_path_factory.mktemp("reg") / "python/reprobuild_worker/re.pro")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project from a template's flake.nix, with a lock whose sources are nowhere to be had."""
    folder = shutil.copytree(STAND_IN_PROJECT, tmp_path / "p")
    shutil.copy(REPOSITORY / "templates/quickstart/flake.nix", folder)
    return folder


def nix(world: World, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return world.run(["nix", *arguments], cwd=cwd, env={"NIX_CONFIG": SETTINGS}, offline=True)


def answer(world: World, cwd: Path, *arguments: str) -> str:
    done = nix(world, cwd, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def command_line(world: World, library: Path, project: Path) -> dict[str, dict[str, str]]:
    """What the command line asks the library (adapters/nix/evaluate.py)."""
    request = json.dumps({"project": str(project)})
    asked = ["--eval", "--strict", "--json", "--read-write-mode", "--argstr", "request", request]
    command = ["nix-instantiate", *asked, str(library / "instantiate.nix")]
    done = world.run(command, cwd=project, env={"NIX_CONFIG": SETTINGS}, offline=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    return {name: found[name] for name in ("model", "environment", "base")} | found["stages"]


def test_a_flake_gives_the_derivations_of_the_command_line(
    world: World, checkout: Path, project: Path
) -> None:
    wanted = command_line(world, REPOSITORY / "nix", project)
    here = f"path:{project}"
    override = ["--override-input", "reprobuild", f"path:{checkout}", "--no-write-lock-file"]
    for name, derivation in (wanted | {"default": wanted["model"]}).items():
        for attribute, key in (("drvPath", "drv_path"), ("outPath", "out_path")):
            found = answer(world, project, "eval", "--raw", f"{here}#{name}.{attribute}", *override)
            assert found == derivation[key], name


def test_the_pinned_nixpkgs_is_never_fetched(world: World, checkout: Path, project: Path) -> None:
    """Once the input is locked, a machine without network needs no option at all."""
    answer(world, project, "flake", "lock", "--override-input", "reprobuild", f"path:{checkout}")
    locked = json.loads((project / "flake.lock").read_text())["nodes"]
    pinned = json.loads((REPOSITORY / "flake.lock").read_text())["nodes"]
    assert locked["nixpkgs"] == pinned["nixpkgs"]
    wanted = command_line(world, REPOSITORY / "nix", project)["model"]["drv_path"]
    assert answer(world, project, "eval", "--raw", ".#default.drvPath") == wanted


@pytest.mark.parametrize("template", ["pytorch-cuda", "quickstart", "scikit-learn"])
def test_templates_are_what_lies_in_the_repository(
    world: World, checkout: Path, tmp_path: Path, template: str
) -> None:
    answer(world, tmp_path, "flake", "init", "-t", f"path:{checkout}#{template}")
    source = checkout / "templates" / template
    for file in source.rglob("*"):
        if file.is_file():
            assert (tmp_path / file.relative_to(source)).read_bytes() == file.read_bytes()
    assert "reprobuild.lib.mkProject" in (tmp_path / "flake.nix").read_text()


def test_the_flake_is_well_formed(world: World, checkout: Path) -> None:
    answer(world, checkout, "flake", "check", f"path:{checkout}")
    shown = json.loads(answer(world, checkout, "flake", "show", "--json", f"path:{checkout}"))
    assert set(shown["templates"]) == {"default", "pytorch-cuda", "quickstart", "scikit-learn"}


def test_a_flake_without_a_lock_says_what_to_run(world: World, checkout: Path, project: Path) -> None:
    (project / "reprobuild.lock").unlink()
    override = ["--override-input", "reprobuild", f"path:{checkout}", "--no-write-lock-file"]
    done = nix(world, project, "build", "--dry-run", f"path:{project}", *override)
    assert done.returncode == 1
    assert "error: reprobuild.lock is missing: run `reprobuild lock`" in done.stderr


@pytest.mark.parametrize(("first", "lr"), [("flake", "0.3011"), ("command line", "0.3012")])
def test_what_one_has_built_the_other_finds(
    world: World, checkout: Path, sourced: Path, first: str, lr: str
) -> None:
    """For real and offline, on a project with a wheel and a data file. Each order has a model of its own."""
    shutil.copy(REPOSITORY / "templates/quickstart/flake.nix", sourced)
    spec = sourced / "reprobuild.toml"
    spec.write_text(spec.read_text().replace("lr = 0.1234567", f"lr = {lr}"))
    expected = world.json("nix", "eval", cwd=sourced)["derivations"]
    override = ["--override-input", "reprobuild", f"path:{checkout}", "--no-write-lock-file"]
    for builder in [first, *({"flake", "command line"} - {first})]:
        there = {label for label, one in expected.items() if world.file(one["out_path"]).exists()}
        assert {"train", "evaluate", "model"} & there == (
            set() if builder == first else {"train", "evaluate", "model"}
        )
        if builder == "flake":
            # `-j0`: what is there must be enough
            jobs = ["--max-jobs", "0"] if builder != first else []
            answer(world, sourced, "build", f"path:{sourced}", "--out-link", "by-flake", *jobs, *override)
            assert str((sourced / "by-flake").readlink()) == expected["model"]["out_path"]
        else:
            built = world.json("nix", "build", "--offline", cwd=sourced)
            assert built["outputs"]["model"] == expected["model"]["out_path"]
            assert (built["built"] == []) == (builder != first)
