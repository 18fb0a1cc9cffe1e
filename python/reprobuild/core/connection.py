"""From what ssh and Nix say about a connection to the error that helps: who is meant, and what to do."""

from __future__ import annotations

import re

from reprobuild.errors import BuilderConnectionError, BuilderNixError, DiskFullError, ReprobuildError

# OpenSSH's words, 9.2 to 10
_REASONS = (
    (r"REMOTE HOST IDENTIFICATION HAS CHANGED", "it has another host key than this machine knows",
     "ask its owner whether the key was changed; then renew it in known_hosts or in the machines file"),
    (r"Host key verification failed|No \S+ host key is known", "its host key is not known on this machine",
     "compare the key with its owner's, then add it to known_hosts or to the machines file"),
    (r"Permission denied", "it refuses the key of this machine",
     "put the public key into its authorized_keys, or name the right one in the machines file"),
    (r"Could not resolve hostname", "there is no machine of that name", "mend the name, or give its address"),
    (r"Connection refused", "no ssh server answers there", "start its ssh server"),
    (r"timed out|No route to host|Network is unreachable", "it does not answer",
     "look whether it is switched on and can be reached, then run the same command again"),
)  # fmt: skip
_LOST = re.compile(
    r"closed by remote host|Broken pipe|Connection reset|not responding|unexpected end-of-file"
    r"|cannot open connection to remote store|Connection to \S+ closed"
)
_NO_NIX = re.compile(r"nix[-a-z]*: (command )?not found|(command|No such file).*nix-daemon")
_DISK_FULL = re.compile(r"No space left on device|(database or )?disk is full")


def connection_error(builder: str, said: str) -> ReprobuildError | None:
    """The error where a command failed for the builder's sake; None where it failed for another reason.

    Args:
        builder: its name.
        said: what ssh and Nix wrote, all of it.
    """
    tail = tuple(line for line in said.strip().splitlines() if line.strip())[-4:]
    for words, actual, hint in _REASONS:
        if re.search(words, said):
            return BuilderConnectionError(
                f"{builder}: cannot be reached", actual=actual, actual_from="ssh", details=tail, hint=hint
            )
    if _DISK_FULL.search(said):
        return DiskFullError(
            f"{builder}: its disk is full",
            details=tail,
            hint="make room there, for example with `nix-collect-garbage`, then run the same command again",
        )
    if _NO_NIX.search(said):
        return no_nix(builder, "none that ssh can start")
    if _LOST.search(said):
        return BuilderConnectionError(
            f"{builder}: the connection broke",
            details=tail,
            hint="run the same command again: what is finished there is kept",
        )
    return None


def no_nix(builder: str, found: str) -> BuilderNixError:
    """The builder's Nix is missing or too old."""
    return BuilderNixError(
        f"{builder}: its Nix cannot build for us",
        expected="Nix 2.8 or newer, on the PATH of what ssh runs there",
        actual=found,
        actual_from=f"`nix --version` on {builder}",
        hint="install Nix there (on Debian: `apt install nix-bin`), then run the same command again",
    )
