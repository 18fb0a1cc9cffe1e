"""A project in git: as it was at a revision, and where it stands now."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from reprobuild.domain.record import Revision
from reprobuild.errors import ToolMissingError, UsageError


def export(project: Path, revision: str, target: Path) -> str:
    """Write the project's folder at that revision to `target`, as a checkout has it; returns the commit's full hash.

    Not by `git archive`: `export-ignore` and `export-subst` would leave out and change files that stages read.

    Raises:
        ToolMissingError: there is no git.
        UsageError: no such revision, or the project's folder is not in it.
    """
    commit = _git(project, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").decode().strip()
    inside = _git(project, "rev-parse", "--show-prefix").decode().strip()
    with TemporaryDirectory(prefix="reprobuild-index-") as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        _git(project, "read-tree", "--no-sparse-checkout", f"{commit}:{inside}", variables=index)
        _git(project, f"--work-tree={target}", "checkout-index", "--all", variables=index)
    return commit


def revision(project: Path, files: Sequence[str]) -> Revision | None:
    """Where the project stands; None: no git, or no commit that holds it.

    Args:
        files: of the project, files and folders: what else has changed does not count. Byte code never does.
    """
    try:
        commit = _git(project, "rev-parse", "--verify", "--quiet", "HEAD^{commit}").decode().strip()
        changed = _git(project, "status", "--porcelain", "--ignored", "--", *files).decode().splitlines()
    except (ToolMissingError, UsageError):
        return None
    return Revision(commit, any("__pycache__" not in line and not line.endswith(".pyc") for line in changed))


def _git(project: Path, *arguments: str, variables: Mapping[str, str] = {}) -> bytes:
    git = shutil.which("git")
    if git is None:
        raise ToolMissingError("git is not installed", hint="install git, or name a result or a record")
    done = subprocess.run(
        [git, "-C", str(project), *arguments],
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise UsageError(
            f"git {' '.join(arguments)} failed in {project}",
            actual=said.splitlines()[-1] if said else "no such revision",
            hint="see `git log` for revisions of this project",
        )
    return done.stdout
