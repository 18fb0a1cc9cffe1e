"""Run programs on a builder through ssh, with the options that Nix uses, and find out what its Nix is like."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import tempfile
from base64 import b64decode
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from reprobuild.core.connection import connection_error, no_nix
from reprobuild.domain.machine import Machine
from reprobuild.errors import ToolFailedError, ToolMissingError, UsageError

LEAST_NIX = (2, 8)
# `config show` since 2.20 or so; before, and still as an alias, `show-config`
_ASK = (
    "nix --version && nproc && if [ -w /nix/var/nix ]; then echo direct; else echo daemon; fi && "
    'export NIX_CONFIG="extra-experimental-features = nix-command" && '
    "(nix config show --json 2>/dev/null || nix show-config --json)"
)


@dataclass(frozen=True)
class BuilderFacts:
    """What a builder's Nix says of itself."""

    nix_version: str
    is_direct: bool  # we may write its store, and our settings hold; else its daemon's do
    sandbox: bool
    system: str
    extra_platforms: tuple[str, ...]
    system_features: frozenset[str]
    max_jobs: int  # one per core where it has Nix's default of one build at a time


def ssh_run(
    machine: Machine, command: str, *, ok: Sequence[int] = (0,), stdout: int | None = subprocess.PIPE
) -> subprocess.CompletedProcess[bytes]:
    """Run a shell command on a machine.

    Raises:
        BuilderConnectionError: ssh could not connect.
        ToolFailedError: the command ended with another status than those in `ok`.
    """
    with ExitStack() as stack:
        arguments = ["ssh", *shlex.split(os.environ.get("NIX_SSHOPTS", "")), "-x", "-o", "BatchMode=yes"]
        if machine.ssh_key:
            arguments += ["-i", machine.ssh_key]
        if machine.host_key:
            known = stack.enter_context(tempfile.NamedTemporaryFile("w", prefix="reprobuild-known-"))
            known.write(f"* {b64decode(machine.host_key).decode().strip()}\n")
            known.flush()
            arguments += ["-o", f"UserKnownHostsFile={known.name}", "-o", "StrictHostKeyChecking=yes"]
        address = urlsplit(machine.uri)
        if address.port:
            arguments += ["-p", str(address.port)]
        host = address.netloc.removesuffix(f":{address.port}") if address.port else address.netloc
        try:
            done = subprocess.run(
                [*arguments, host, "--", command],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=subprocess.PIPE,
                check=False,
            )
        except FileNotFoundError:
            raise ToolMissingError(
                "ssh is not installed", hint="install it (on Debian: `apt install openssh-client`)"
            ) from None
    if done.returncode not in ok:
        said = done.stderr.decode("utf-8", "replace")
        problem = connection_error(machine.name, said) if done.returncode in (127, 255) else None
        raise problem or ToolFailedError(
            f"{machine.name}: a command failed there with status {done.returncode}",
            actual=command,
            details=tuple(said.strip().splitlines()[-12:]),
        )
    return done


def builder_facts(machine: Machine) -> BuilderFacts:
    """Connect, and ask its Nix; once for each address in a command.

    Raises:
        BuilderConnectionError, BuilderNixError.
    """
    return _facts(Machine(machine.uri, (), ssh_key=machine.ssh_key, host_key=machine.host_key))


@cache
def _facts(machine: Machine) -> BuilderFacts:
    try:
        said = ssh_run(machine, _ASK).stdout.decode("utf-8", "replace")
    except ToolFailedError as error:
        raise no_nix(machine.name, "\n".join(error.details) or error.message) from error
    version, _, rest = said.partition("\n")
    number = re.search(r"(\d+)\.(\d+)", version)
    if number is None or (int(number[1]), int(number[2])) < LEAST_NIX:
        raise no_nix(machine.name, version)
    try:
        settings = {key: one["value"] for key, one in json.loads(rest[rest.index("{") :]).items()}
        return BuilderFacts(
            nix_version=version.rpartition(" ")[2],
            is_direct=rest.split()[1] == "direct",
            sandbox=settings["sandbox"] is True or settings["sandbox"] == "true",
            system=str(settings["system"]),
            extra_platforms=tuple(settings["extra-platforms"]),
            system_features=frozenset(settings["system-features"]),
            max_jobs=most if (most := int(settings["max-jobs"])) != 1 else int(rest.split()[0]),
        )
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise no_nix(machine.name, f"{version}, and settings that we cannot read ({error})") from error


def machine_at(address: str) -> Machine:
    """The machine at an address that no list of builders has, as its Nix offers it.

    Raises:
        UsageError: not an address of a store that builds.
        BuilderConnectionError, BuilderNixError.
    """
    bare = Machine(address, ())
    store_address(bare)
    facts = builder_facts(bare)
    return Machine(
        uri=address,
        systems=(facts.system, *facts.extra_platforms),
        supported=facts.system_features,
        max_jobs=facts.max_jobs,
    )


def store_address(machine: Machine, daemon_options: Sequence[str] = ()) -> str:
    """The machine as a Nix store that builds.

    Args:
        daemon_options: for the `nix-daemon --stdio` that ssh starts there. Nix's client does not hand its settings on
            over ssh; they hold where that process writes the store itself.
    """
    parts = urlsplit(machine.uri)
    if parts.scheme not in ("ssh", "ssh-ng"):
        raise UsageError(
            f"--builder {machine.uri}: cannot build there",
            expected="ssh-ng://HOST, ssh-ng://USER@HOST, or the name of a builder",
            actual=machine.uri,
            hint="list the builders with `reprobuild builder list`",
        )
    query = dict(parse_qsl(parts.query))
    if machine.ssh_key:
        query.setdefault("ssh-key", str(Path(machine.ssh_key)))
    if machine.host_key:
        query.setdefault("base64-ssh-public-host-key", machine.host_key)
    if daemon_options:
        query.setdefault("remote-program", " ".join(["nix-daemon", *daemon_options]))
    return f"ssh-ng://{parts.netloc}" + (f"?{urlencode(query, quote_via=quote)}" if query else "")
