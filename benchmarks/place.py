"""Where benchmarks build: a throw-away Nix store with the quickstart in it, and nothing of the host's /nix."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmarks.contest import timed
from reprobuild.adapters.nix.evaluate import NixEvaluator
from reprobuild.adapters.nix.process import builds_at_once
from reprobuild.adapters.nix.process import environment as nix_environment
from reprobuild.adapters.nix.process import run as nix
from reprobuild.adapters.resources import nix_library
from reprobuild.domain.lock import LOCK_FILE, Lock
from reprobuild.domain.store import Instantiation
from reprobuild.services.project import open_project

REPOSITORY = Path(__file__).resolve().parent.parent
# Bind the store, then become the command: as tests/integration/conftest.py does it.
_ENTER = 'mount --bind "$0" /nix && exec "$@"'


def enter(folder: Path, command: Sequence[str]) -> int:
    """Run a command that sees `folder`/nix as /nix; returns its exit status."""
    (folder / "nix" / "store").mkdir(parents=True, exist_ok=True)
    (folder / "home").mkdir(exist_ok=True)
    # with byte-code, which the first round writes: an installed command has it, too
    left_out = ("NIX_", "REPROBUILD_", "XDG_", "PYTHONDONTWRITEBYTECODE")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(left_out)}
    kept |= {key: os.environ[key] for key in ("NIX_CONFIG",) if key in os.environ}
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")  # downloads, checked by hash
    environment = {**kept, "HOME": str(folder / "home"), "XDG_CACHE_HOME": cache, "CI": "true"}
    unshare = ["unshare", "--mount"]
    if os.geteuid() != 0:
        unshare += ["--user", "--map-root-user"]
    return subprocess.run(
        [*unshare, "sh", "-c", _ENTER, str(folder / "nix"), *command], env=environment
    ).returncode


def remove(folder: Path) -> None:
    """Delete a folder, also with read-only store paths in it."""
    if not folder.exists():
        return
    subprocess.run(["chmod", "-R", "u+w", str(folder)], check=False)
    shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Place:
    """
    Args:
        folder: holds the store, the project and what contenders make; all on one file system, so that uv can link.
    """

    folder: Path

    @property
    def reprobuild(self) -> Path:
        return Path(sys.executable).parent / "reprobuild"

    @cached_property
    def uv(self) -> Path:
        from uv import find_uv_bin

        return Path(os.fsdecode(find_uv_bin()))

    @cached_property
    def project(self) -> Path:
        """The quickstart, locked, its sources in the store; nothing built."""
        project = self.folder / "digits"
        if not (project / "reprobuild.toml").exists():
            timed([self.reprobuild, "init", project], cwd=self.folder)
        timed([self.reprobuild, "lock"], cwd=project)
        timed([self.reprobuild, "fetch"], cwd=project)
        return project

    @cached_property
    def built(self) -> Path:
        """The quickstart, built."""
        timed([self.reprobuild, "nix", "build"], cwd=self.project)
        return self.project

    def instantiate(self, project: Path) -> Instantiation:
        opened = open_project(project)
        return NixEvaluator(nix_library()).instantiate(opened.path, {}, opened.spec.stage_order())

    def lock(self) -> Lock:
        return Lock.model_validate_json((self.project / LOCK_FILE).read_text(encoding="utf-8"))

    @cached_property
    def nix_environment(self) -> dict[str, str]:
        """The settings that `reprobuild nix build` gives to Nix."""
        return nix_environment()

    def realise(self, *arguments: str) -> tuple[float, str]:
        """Seconds of one `nix-store --realise`, and its log."""
        command = ["nix-store", "--realise", "--max-jobs", builds_at_once(), *arguments]
        return timed(command, env=self.nix_environment)

    def forget(self, paths: Sequence[str]) -> None:
        """Delete outputs from the store, so that the next build makes them."""
        valid = set(paths) - set(
            nix("nix-store", ["--check-validity", "--print-invalid", *paths], ok=(0, 1)).stdout.split()
        )
        if valid:
            nix("nix-store", ["--delete", "--ignore-liveness", *sorted(valid)])
