"""Find out whether builds on this host are isolated, by asking for one that only works when they are not."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from reprobuild.adapters.nix.process import run, uses_daemon

# What Nix says when the sandbox is there and the host's shell is not in it (2.8 to 2.34).
_ISOLATED = ("executing '/bin/sh'", "failed with exit code 3", "unable to execute '/bin/sh'")


def sandbox_problem(library: Path, store: str = "", variables: Mapping[str, str] = {}) -> str | None:
    """None if builds are isolated, else what is wrong.

    Args:
        library: folder of the Nix library.
        store: where to build, such as `ssh-ng://HOST`; empty: here.
        variables: of the environment, for reaching that store.
    """
    stamp = ["--argstr", "stamp", str(time.time_ns())]
    drv_path = run("nix-instantiate", [*stamp, str(library / "sandbox-probe.nix")]).stdout.strip()
    there = ["--store", store] if store else []
    if store:
        copied = run(
            "nix", ["copy", "--derivation", "--to", store, drv_path], variables=variables, ok=range(256)
        )
        if copied.returncode != 0:
            return _last_words(copied)
    done = run("nix-store", ["--realise", drv_path, *there], variables=variables, ok=range(256))
    if done.returncode == 0:
        daemon = uses_daemon() or bool(store)
        why = "nix-daemon has `sandbox = false`" if daemon else "Nix built without its sandbox"
        return f"builds are not isolated: {why}"
    if any(sign in done.stderr for sign in _ISOLATED):
        return None
    return _last_words(done)


def _last_words(done: subprocess.CompletedProcess[str]) -> str:
    last = [line for line in done.stderr.splitlines() if line.strip()]
    return last[-1].removeprefix("error: ") if last else f"Nix ended with status {done.returncode}"
