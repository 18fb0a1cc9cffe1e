"""A Python of the system: one that daemons and other users find too, unlike the one that runs us."""

from __future__ import annotations

import shutil
import subprocess

from reprobuild.errors import ToolMissingError

_FOLDERS = "/usr/bin:/bin:/usr/local/bin"
_NEW_ENOUGH = "import sys; sys.exit(sys.version_info < (3, 8))"


def system_python() -> str:
    """Full path of a Python 3.8 or newer.

    Raises:
        ToolMissingError: there is none.
    """
    names = ("python3", *(f"python3.{minor}" for minor in range(20, 7, -1)))
    for name in names:
        found = shutil.which(name, path=_FOLDERS)
        if found and subprocess.run([found, "-I", "-c", _NEW_ENOUGH], check=False).returncode == 0:
            return found
    raise ToolMissingError(
        "the GPU hook needs a Python that nix-daemon finds",
        expected="python3, 3.8 or newer",
        expected_from=_FOLDERS,
        hint="install it (on Debian: `apt install python3-minimal`)",
    )
