"""Start Nix's programs: the one place that knows their names, settings and environment."""

from __future__ import annotations

import grp
import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from reprobuild.core.addresses import redact_all
from reprobuild.errors import ToolFailedError, ToolMissingError

# Given on every call, so that nothing depends on the user's nix.conf (which is never edited).
SETTINGS: Mapping[str, str] = {
    "sandbox": "true",
    "sandbox-fallback": "false",  # a build that silently runs unsandboxed is not hermetic
    "sandbox-paths": "",  # no /bin/sh of the host
    "extra-experimental-features": "nix-command flakes",
    "substituters": "",  # offline, the default one costs seconds of name look-ups per command
}

_KEYS = "extra-trusted-public-keys"

# Buckets are asked by us (adapters/binary_cache/s3_gateway.py): Nix and what it starts need not know these.
_KEPT_BACK = frozenset({"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"})


def program(name: str) -> str:
    """Full path of a Nix program.

    Raises:
        ToolMissingError: not on PATH nor in the usual profile folders.
    """
    extra = ["/nix/var/nix/profiles/default/bin", str(Path.home() / ".nix-profile/bin")]
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *extra]))
    if found is None:
        raise ToolMissingError(
            f"{name} is not installed",
            expected="Nix 2.8 or newer",
            hint="install Nix (on Debian: `apt install nix-bin`), then run `reprobuild doctor`",
        )
    return found


@cache
def uses_daemon() -> bool:
    """Whether builds go through nix-daemon: as Nix decides it, by NIX_REMOTE or by who may write the store."""
    remote = os.environ.get("NIX_REMOTE", "auto")
    if remote not in ("", "auto"):
        return remote == "daemon"
    state = Path("/nix/var/nix")
    return os.geteuid() != 0 and not os.access(state, os.W_OK) and state.exists()


def runs_builds_as_root() -> bool:
    """Whether builds run with the rights of the store's owner, for lack of build users."""
    return os.geteuid() == 0 and not uses_daemon() and not _has_group("nixbld")


def environment(extra_settings: Mapping[str, str] = {}) -> dict[str, str]:
    """The process environment for a Nix program: the caller's, with our settings last in NIX_CONFIG."""
    settings = dict(SETTINGS)
    if runs_builds_as_root():
        settings["build-users-group"] = ""  # Nix would refuse to build at all
    settings.update(extra_settings)
    if keys := os.environ.get("REPROBUILD_TRUSTED_KEYS", "").split():
        keys += settings.get(_KEYS, "").split()
        settings[_KEYS] = " ".join(keys)
    lines = [os.environ.get("NIX_CONFIG", "")] + [f"{key} = {value}" for key, value in settings.items()]
    inherited = {name: value for name, value in os.environ.items() if name not in _KEPT_BACK}
    return {**inherited, "NIX_CONFIG": "\n".join(lines).strip(), "LC_ALL": "C.UTF-8"}


def run(
    name: str,
    arguments: Sequence[str],
    *,
    settings: Mapping[str, str] = {},
    variables: Mapping[str, str] = {},
    given: str = "",
    ok: Sequence[int] = (0,),
) -> subprocess.CompletedProcess[str]:
    """Run a Nix program to its end.

    Args:
        settings: of nix.conf, for this call.
        variables: of its environment, besides the usual ones.
        given: what it reads on its standard input.
    Raises:
        ToolMissingError: it is not installed.
        ToolFailedError: it ended with a status not in `ok`; carries its last lines.
    """
    done = subprocess.run(
        [program(name), *arguments],
        env={**environment(settings), **variables},
        input=given,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode not in ok:
        raise ToolFailedError(
            f"{name} failed with status {done.returncode}",
            details=tuple(redact_all(done.stderr).strip().splitlines()[-12:]),
            hint="run `reprobuild doctor`",
        )
    return done


@cache
def configuration() -> Mapping[str, Any]:
    """Nix's settings on this machine, with ours: name → value."""
    shown = json.loads(run("nix", ["show-config", "--json"]).stdout)
    return {name: setting["value"] for name, setting in shown.items()}


@cache
def builds_at_once() -> str:
    """`max-jobs` as Nix's configuration has it; one per core where it has Nix's default of one build at a time."""
    configured = configuration()["max-jobs"]
    return "auto" if configured == 1 else str(configured)


@cache
def trusted_keys() -> tuple[str, ...]:
    """Keys whose signatures Nix believes: those of its configuration and of REPROBUILD_TRUSTED_KEYS."""
    return tuple(configuration()["trusted-public-keys"])


def _has_group(name: str) -> bool:
    try:
        return bool(grp.getgrnam(name).gr_mem)
    except KeyError:
        return False
