"""Run our command as a user without privileges, through a nix-daemon of the throw-away store. Needs root."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import gettempdir

import pytest
from tests.integration.conftest import REPOSITORY, World

NOBODY = 65534
# Start the daemon in this mount namespace, run one command as a user who may not write the store, stop the daemon.
# Our code may lie in a home folder that others cannot enter: they see it at a place that they can.
SCRIPT = """
set -e
mkdir -p "$SHARED/repository" "$SHARED/packages"
mount --bind "$REPOSITORY" "$SHARED/repository"
mount --bind "$PACKAGES" "$SHARED/packages"
set +e
nix-daemon >"$LOG" 2>&1 & daemon=$!
for _ in 1 2 3 4 5 6 7 8 9 10; do [ -S /nix/var/nix/daemon-socket/socket ] && break; sleep 0.3; done
unset NIX_CONFIG
setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; status=$?
kill "$daemon"; wait "$daemon" 2>/dev/null
exit "$status"
"""


def python_for_everybody() -> str:
    """An interpreter that a stranger may run: ours may lie in a home folder."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (sys.executable, f"/usr/bin/{name}"):
        tried = subprocess.run(
            ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", candidate, "-c", ""],
            capture_output=True,
            check=False,
        )
        if tried.returncode == 0:
            return candidate
    pytest.skip(f"no {name} that other users may run")


def as_user(world: World, project: Path, sandbox: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run our command."""
    command = [python_for_everybody(), "-m", "reprobuild", *arguments]
    return run_as_user(world, project, sandbox, *command)


def run_as_user(world: World, project: Path, sandbox: str, *command: str) -> subprocess.CompletedProcess[str]:
    """Run any command in a folder that becomes the stranger's."""
    home = project.parent / "stranger"
    home.mkdir(exist_ok=True)
    packages = next(Path(path) for path in sys.path if path.endswith("site-packages"))
    for folder in (project, home):
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, NOBODY, NOBODY)
    for parent in (project.parent, *project.parent.parents):
        if Path(gettempdir()) in parent.parents:  # other test runs of this user close it again
            parent.chmod(0o755)
    config = (
        f"sandbox = {sandbox}\nbuild-users-group =\nsubstituters =\nallowed-users = *\ntrusted-users = root"
    )
    env = {
        "NIX_CONFIG": config,
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "SHARED": str(home),
        "REPOSITORY": str(REPOSITORY),
        "PACKAGES": str(packages),
        "PYTHONPATH": f"{home / 'repository' / 'python'}:{home / 'packages'}",
        "NIX_REMOTE": "",
        "LOG": str(world.home / "daemon.log"),
    }
    return world.run(["sh", "-c", SCRIPT, "sh", *command], cwd=project, env=env)
