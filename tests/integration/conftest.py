"""A throw-away Nix store for real builds: a folder bound over /nix in a mount namespace of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

# scripts/test sets it: there, not being able to build is a failure.
MUST_BUILD = os.environ.get("REPROBUILD_TESTS_MUST_BUILD") == "1"

# Bind the store, then become the command: nothing of the host's /nix is seen, or the command does not run.
_ENTER = 'set -e; [ -d /nix ] || mkdir -p /nix; mount --bind "$0" /nix; exec "$@"'
# The network is cut by --net; without iproute2 not even loopback is up.
_ENTER_OFFLINE = (
    'set -e; [ -d /nix ] || mkdir -p /nix; mount --bind "$0" /nix; ip link set lo up || true; exec "$@"'
)

TINY_SPEC = """
schema = "reprobuild.spec/1"

[model]
name = "tiny"
version = "1.0.0"
description = "A model of nothing: quick to build."
license = "Apache-2.0"
owners = ["tests"]

[stages.train]
run = "train.py"
params = { lr = 0.1234567, steps = 3 }
outputs = ["numbers.json"]

[stages.evaluate]
run = "evaluate.py"
needs = ["train"]
outputs = ["metrics.json"]

[metrics.score]
stage = "evaluate"
minimum = 0.5

[artifact]
files = ["train/numbers.json"]
"""
TINY_TRAIN = """
from reprobuild_worker import stage

for epoch in stage.epochs(stage.params.steps):
    stage.log(loss=1 / epoch)
stage.save_json("numbers.json", {"lr": stage.params.lr, "seed": stage.seed})
"""
TINY_EVALUATE = """
import json
from reprobuild_worker import stage

numbers = json.loads((stage.inputs["train"] / "numbers.json").read_text())
stage.save_metrics(score=1 - numbers["lr"])
"""


@dataclass
class World:
    """A store, a home and a state folder that no other test run has."""

    nix: Path
    home: Path
    knows_indexes: bool = True  # False: nothing that pip and uv are told on this machine holds
    enter: tuple[
        str, ...
    ] = ()  # what commands are started by: into another network (tests/integration/hosts.py)
    variables: Mapping[str, str] = field(default_factory=dict)

    def environment(self, extra: Mapping[str, str] = {}) -> dict[str, str]:
        left_out = ("NIX_", "REPROBUILD_", "XDG_", "GITHUB_", "GITLAB_") + (
            () if self.knows_indexes else ("PIP_", "UV_")
        )
        kept = {key: value for key, value in os.environ.items() if not key.startswith(left_out)}
        if not self.knows_indexes:
            kept |= {"PIP_CONFIG_FILE": "/dev/null", "UV_NO_CONFIG": "1"}
        cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")  # downloads, checked by hash
        # Nix ends every process of a build user when a build ends, in other stores too: worlds do without such users.
        config = {"NIX_CONFIG": "build-users-group ="}
        return {
            **kept,
            **config,
            "HOME": str(self.home),
            "XDG_CACHE_HOME": cache,
            "CI": "true",
            **self.variables,
            **extra,
        }

    def command(self, arguments: Sequence[str], *, offline: bool = False) -> list[str]:
        """How to run a command inside this world."""
        unshare = ["unshare", "--mount", *(["--net"] if offline else [])]
        if os.geteuid() != 0:
            unshare += ["--user", "--map-root-user"]
        script = _ENTER_OFFLINE if offline else _ENTER
        return [*self.enter, *unshare, "sh", "-c", script, str(self.nix), *arguments]

    def run(
        self,
        arguments: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str] = {},
        offline: bool = False,
        timeout_s: float = 900,
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(arguments, offline=offline),
            cwd=cwd,
            env=self.environment(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def reprobuild(
        self,
        *arguments: str,
        cwd: Path,
        env: Mapping[str, str] = {},
        offline: bool = False,
        status: int | None = 0,
        timeout_s: float = 900,
    ) -> subprocess.CompletedProcess[str]:
        """Run our command line; fails the test when it ends with another status than expected."""
        done = self.run(
            [sys.executable, "-m", "reprobuild", *arguments],
            cwd=cwd,
            env=env,
            offline=offline,
            timeout_s=timeout_s,
        )
        assert status is None or done.returncode == status, (
            f"reprobuild {' '.join(arguments)} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
        return done

    def json(
        self, *arguments: str, cwd: Path, status: int = 0, env: Mapping[str, str] = {}
    ) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(
            self.reprobuild(*arguments, "--json", cwd=cwd, status=status, env=env).stdout
        )
        return document

    def drv_paths(self, project: Path, *options: str, env: Mapping[str, str] = {}) -> dict[str, str]:
        """Label → derivation of everything that a project builds."""
        found = self.json("nix", "eval", *options, cwd=project, env=env)["derivations"]
        return {label: one["drv_path"] for label, one in found.items()}

    def file(self, store_path: str) -> Path:
        """Where a path of this store lies for the test process."""
        return self.nix / store_path.removeprefix("/nix/")

    def fresh_store(self, folder: Path, *, knows_indexes: bool = True) -> World:
        """The same home, an empty store."""
        made = World(folder / "nix", self.home, knows_indexes)
        (made.nix / "store").mkdir(parents=True)
        return made


def cannot_build(reason: str) -> NoReturn:
    """Skip, or fail where tests must build."""
    if MUST_BUILD:
        pytest.fail(f"{reason} (REPROBUILD_TESTS_MUST_BUILD is set)", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    if shutil.which("nix-store") is None:
        cannot_build("Nix is not installed: scripts/test installs it")
    if os.geteuid() != 0 and not Path("/nix").is_dir():
        cannot_build("there is no /nix to put a store on, and only root can make it")
    root = tmp_path_factory.mktemp("world")
    made = World(root / "nix", root / "home")
    (made.nix / "store").mkdir(parents=True)
    made.home.mkdir()
    probe = made.run(["true"], cwd=root)
    if probe.returncode != 0:
        cannot_build(f"mount namespaces are not available: {probe.stderr.strip()}")
    yield made
    subprocess.run(["chmod", "-R", "u+w", str(root)], check=False)
    shutil.rmtree(root, ignore_errors=True)


def write_tiny(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "reprobuild.toml").write_text(TINY_SPEC)
    (folder / "train.py").write_text(TINY_TRAIN)
    (folder / "evaluate.py").write_text(TINY_EVALUATE)
    return folder


@pytest.fixture(scope="session")
def tiny_lock(world: World, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A lock of a project without wheels and data, resolved once, with its sources in the store."""
    project = write_tiny(tmp_path_factory.mktemp("lock") / "tiny")
    world.reprobuild("lock", cwd=project)
    world.reprobuild("fetch", cwd=project)
    return (project / "reprobuild.lock").read_text()


@pytest.fixture
def tiny(tmp_path: Path, tiny_lock: str) -> Path:
    """A locked project that builds in a second."""
    project = write_tiny(tmp_path / "tiny")
    (project / "reprobuild.lock").write_text(tiny_lock)
    return project


SOURCED_HEAD = """
[python]
requirements = ["packaging"]

[datasets.rows]
path = "rows.csv"
source = "tests"
license = "CC0-1.0"
retrieved = "2026-11-20"

[stages.train]
data = ["rows"]"""
SOURCED_TRAIN = """
from packaging.version import Version

numbers = stage.data["rows"].read_text().split()
assert Version(numbers[1].replace(",", ".")) < Version("1.10")
"""


def write_sourced(folder: Path) -> Path:
    write_tiny(folder)
    (folder / "reprobuild.toml").write_text(TINY_SPEC.replace("\n[stages.train]", SOURCED_HEAD))
    (folder / "train.py").write_text(TINY_TRAIN + SOURCED_TRAIN)
    (folder / "rows.csv").write_text("a,b\n1,2\n")
    return folder


@pytest.fixture(scope="session")
def sourced_lock(world: World, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The same with one wheel and one data file."""
    project = write_sourced(tmp_path_factory.mktemp("lock") / "sourced")
    world.reprobuild("lock", cwd=project)
    world.reprobuild("fetch", cwd=project)
    return (project / "reprobuild.lock").read_text()


@pytest.fixture
def sourced(tmp_path: Path, sourced_lock: str) -> Path:
    """A locked project with sources of all kinds: packages, tools, a wheel, a data file."""
    project = write_sourced(tmp_path / "sourced")
    (project / "reprobuild.lock").write_text(sourced_lock)
    return project


@pytest.fixture(scope="session")
def quickstart(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The quickstart project, locked and built."""
    project = tmp_path_factory.mktemp("quickstart") / "digits"
    world.reprobuild("init", str(project), cwd=project.parent)
    world.reprobuild("lock", cwd=project)
    world.reprobuild("nix", "build", cwd=project)
    return project
