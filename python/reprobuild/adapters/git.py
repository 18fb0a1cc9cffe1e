"""A project as it was at a git revision."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from pathlib import Path

from reprobuild.errors import ToolMissingError, UsageError


def export(project: Path, revision: str, target: Path) -> str:
    """Write the project's folder at that revision to `target`; returns the commit's full hash.

    Raises:
        ToolMissingError: there is no git.
        UsageError: no such revision, or the project's folder is not in it.
    """
    commit = _git(project, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").decode().strip()
    inside = _git(project, "rev-parse", "--show-prefix").decode().strip()
    archive = _git(project, "archive", "--format=tar", f"{commit}:{inside}")
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(target, filter="data")
    return commit


def _git(project: Path, *arguments: str) -> bytes:
    git = shutil.which("git")
    if git is None:
        raise ToolMissingError("git is not installed", hint="install git, or name a result or a record")
    done = subprocess.run(
        [git, "-C", str(project), *arguments], stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise UsageError(
            f"git {' '.join(arguments)} failed in {project}",
            actual=said.splitlines()[-1] if said else "no such revision",
            hint="see `git log` for revisions of this project",
        )
    return done.stdout
