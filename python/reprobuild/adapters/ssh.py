"""Run a command on a builder over ssh, as Nix itself connects: NIX_SSHOPTS, the machine's key and host key."""

from __future__ import annotations

import base64
import os
import subprocess
import tempfile
from pathlib import Path
from shlex import quote
from typing import IO
from urllib.parse import parse_qs, urlsplit

from reprobuild.core.ssh_destination import ssh_destination
from reprobuild.core.ssh_failure import ssh_failure
from reprobuild.domain.machine import Machine
from reprobuild.errors import BuilderError, ToolMissingError, UsageError

# Never ask; a builder that does not answer is one that cannot be reached. ssh takes the first value it is given.
_NEVER_ASK = "-oBatchMode=yes"
_CONNECT_TIMEOUT = "-oConnectTimeout=10"
_ALIVE = ("-oServerAliveInterval=5", "-oServerAliveCountMax=3")
_CONNECTION_FAILED = 255


def run_there(
    machine: Machine,
    command: str,
    *,
    stdin: bytes = b"",
    timeout_s: float = 60,
    into: IO[bytes] | None = None,
) -> str:
    """What a command prints there.

    Args:
        command: for a POSIX shell, whichever the user has there.
        into: file that takes what it prints, in place of the answer.
    Raises:
        UsageError: the machine is not reached by ssh.
        BuilderError: no connection, or the command failed or took too long.
    """
    with tempfile.TemporaryDirectory() as folder:
        arguments = [*ssh_command(machine, Path(folder)), f"sh -c {quote(command)}"]
        try:
            done = subprocess.run(
                arguments,
                input=stdin,
                stdout=subprocess.PIPE if into is None else into,
                stderr=subprocess.PIPE,
                timeout=timeout_s,
                check=False,
            )
        except FileNotFoundError:
            raise ToolMissingError(
                "ssh is not installed", hint="install it (on Debian: `apt install openssh-client`)"
            ) from None
        except subprocess.TimeoutExpired:
            raise BuilderError(
                f"builder {machine.name}: no answer within {timeout_s:.0f} s",
                hint="try `ssh` by hand: it may hang at its disk or at its network",
            ) from None
    stderr = done.stderr.decode("utf-8", "replace")
    if done.returncode == 0:
        return "" if into is not None else done.stdout.decode("utf-8", "replace")
    known = ssh_failure(machine.name, stderr) if done.returncode == _CONNECTION_FAILED else None
    raise known or BuilderError(
        f"builder {machine.name}: a command there ended with status {done.returncode}",
        details=tuple(stderr.strip().splitlines()[-6:]),
    )


def nix_environment() -> dict[str, str]:
    """For Nix programs that connect to a builder: they never ask either, and give up as we do."""
    return {"NIX_SSHOPTS": " ".join(_options())}


def _options() -> list[str]:
    return [_NEVER_ASK, *os.environ.get("NIX_SSHOPTS", "").split(), _CONNECT_TIMEOUT, *_ALIVE]


def ssh_command(machine: Machine, folder: Path) -> list[str]:
    """How to reach a builder; a command for its shell comes after that.

    Args:
        folder: takes a file of host keys, which must stay while ssh starts.
    Raises:
        UsageError: the machine is not reached by ssh.
    """
    destination = ssh_destination(machine.uri)
    if destination is None:
        raise UsageError(
            f"{machine.uri}: only builders that are reached by ssh can be asked",
            expected="ssh-ng://HOST or ssh://HOST",
            actual=machine.uri,
        )
    asked = parse_qs(urlsplit(machine.uri).query)
    key = machine.ssh_key or asked.get("ssh-key", [None])[0]
    host_key = machine.host_key or asked.get("base64-ssh-public-host-key", [None])[0]
    options = [*_options(), "-a", "-x"]
    if key:
        options += ["-i", key]
    if host_key:
        known = folder / "known_hosts"
        host = destination.rpartition("@")[2]
        known.write_bytes(host.encode() + b" " + base64.b64decode(host_key) + b"\n")
        options.append(f"-oUserKnownHostsFile={known}")
    return ["ssh", *options, "--", destination]
