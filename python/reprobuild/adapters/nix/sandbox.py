"""Find out whether builds on this host are isolated, by asking for one that only works when they are not."""

from __future__ import annotations

import time
from pathlib import Path

from reprobuild.adapters.nix.process import run, uses_daemon

# What Nix says when the sandbox is there and the host's shell is not in it (2.8 to 2.34).
_ISOLATED = ("executing '/bin/sh'", "failed with exit code 3", "unable to execute '/bin/sh'")


def sandbox_problem(library: Path) -> str | None:
    """None if builds are isolated, else what is wrong.

    Args:
        library: folder of the Nix library.
    """
    stamp = ["--argstr", "stamp", str(time.time_ns())]
    drv_path = run("nix-instantiate", [*stamp, str(library / "sandbox-probe.nix")]).stdout.strip()
    done = run("nix-store", ["--realise", drv_path], ok=range(256))
    if done.returncode == 0:
        why = "nix-daemon has `sandbox = false`" if uses_daemon() else "Nix built without its sandbox"
        return f"builds are not isolated: {why}"
    if any(sign in done.stderr for sign in _ISOLATED):
        return None
    last = [line for line in done.stderr.splitlines() if line.strip()]
    return last[-1].removeprefix("error: ") if last else f"nix-store ended with status {done.returncode}"
