"""Are we in Nix's sandbox? And what of it must user code not see?"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, MutableMapping
from pathlib import Path

from reprobuild_worker.errors import SandboxError

# Set by Nix or by the person who builds; they differ between builders and must not reach a result.
VARYING = ("TERM", "COLUMNS", "LINES", "PWD", "OLDPWD", "TMP", "TEMP", "TEMPDIR", "TMPDIR", "HOME")
VARYING_PREFIX = "NIX_"


def network_interfaces(table: Path = Path("/proc/net/dev")) -> list[str]:
    """Names of the network interfaces that this process can see."""
    lines = table.read_text().splitlines()[2:]
    return [line.partition(":")[0].strip() for line in lines]


def check_sandbox(environment: Mapping[str, str], interfaces: Iterable[str]) -> None:
    """Refuse to go on outside of Nix's sandbox: the result would depend on this host.

    There is deliberately no way to switch this off from outside.

    Raises:
        SandboxError: the build folder is not the sandbox's, or there is a network.
    """
    hint = "set `sandbox = true` and `sandbox-fallback = false`; `reprobuild doctor` shows why it is off"
    top = environment.get("NIX_BUILD_TOP")
    if top is None:
        raise SandboxError("not in Nix's sandbox: NIX_BUILD_TOP is not set", hint=hint)
    if not Path(top).is_relative_to("/build"):
        raise SandboxError(f"not in Nix's sandbox: the build folder is {top}, not /build", hint=hint)
    others = sorted(set(interfaces) - {"lo"})
    if others:
        raise SandboxError(f"not in Nix's sandbox: network interface {others[0]} is visible", hint=hint)


def private_folders(environment: MutableMapping[str, str], top: Path) -> Path:
    """Drop what varies, give user code an own HOME and TMPDIR, and return an empty working folder."""
    for name in [n for n in environment if n in VARYING or n.startswith(VARYING_PREFIX)]:
        del environment[name]
    for name in ("home", "tmp", "work"):
        (top / name).mkdir(mode=0o755, exist_ok=True)
    environment["HOME"] = str(top / "home")
    for name in ("TMPDIR", "TMP", "TEMP"):
        environment[name] = str(top / "tmp")
    os.umask(0o022)
    return top / "work"
