"""From what ssh said to the error that helps: not there, not let in, another machine, no Nix."""

from __future__ import annotations

import re

from reprobuild.errors import BuilderError

# OpenSSH's words, 9.2 to 10
_CHANGED = re.compile(r"REMOTE HOST IDENTIFICATION HAS CHANGED|Host key for \S+ has changed")
_UNKNOWN_KEY = re.compile(r"Host key verification failed|No \S+ host key is known")
_REFUSED = re.compile(r"Permission denied \((?P<methods>[^)]*)\)|Too many authentication failures")
_NO_NAME = re.compile(r"Could not resolve hostname")
# at the start of a line: Nix quotes its own downloads' errors, a build its own, in the same words
_NO_ANSWER = re.compile(
    r"^(ssh: connect to |\w+_exchange_identification: |banner exchange: ).*"
    r"(timed out|refused|No route to host|unreachable|closed by|Connection reset)"
    r"|^Connection (timed out during|to \S+ port \d+ timed out|closed by|reset by)",
    re.IGNORECASE | re.MULTILINE,
)
_NO_PROGRAM = re.compile(r"(?P<program>[\w./-]+): (?:command )?not found", re.IGNORECASE)


def ssh_failure(builder: str, stderr: str) -> BuilderError | None:
    """The error for a connection that came to nothing; None where ssh was not the reason.

    Args:
        stderr: of ssh, or of Nix that used it.
    """
    last = tuple(line for line in stderr.strip().splitlines() if line.strip("@ \r"))[-4:]
    if _CHANGED.search(stderr):
        return BuilderError(
            f"builder {builder}: its host key is not the one that we know, so this may be another machine",
            details=last,
            hint="ask who runs it; if its key was renewed, `ssh-keygen -R HOST` (or a new --host-key), then try again",
        )
    if _UNKNOWN_KEY.search(stderr):
        return BuilderError(
            f"builder {builder}: its host key is not known here",
            details=last,
            hint="compare its key and store it: `ssh HOST` once by hand, or `reprobuild builder add --host-key FILE`",
        )
    if found := _REFUSED.search(stderr):
        return BuilderError(
            f"builder {builder}: it refused our key",
            expected="a login without a password",
            actual=found.groupdict().get("methods") or "too many keys offered",
            actual_from="what it would accept",
            details=last,
            hint="put the public key into ~/.ssh/authorized_keys there, or name another with --ssh-key",
        )
    if _NO_NAME.search(stderr):
        return BuilderError(
            f"builder {builder}: there is no host of this name",
            details=last,
            hint="look at the address: `reprobuild builder list`",
        )
    if _NO_ANSWER.search(stderr):
        return BuilderError(
            f"builder {builder}: it cannot be reached",
            details=last,
            hint="is it switched on, and its sshd running? Then the same command again",
        )
    if (found := _NO_PROGRAM.search(stderr)) and "nix" in found["program"]:
        return no_nix(builder)
    return None


def no_nix(builder: str) -> BuilderError:
    """ssh works, and the commands that it runs find no Nix."""
    return BuilderError(
        f"builder {builder}: commands that ssh runs there find no Nix",
        expected="nix-store on the PATH of a shell that is no login shell",
        hint="install Nix there, or put its folder on that PATH (`SetEnv PATH=…` in sshd_config)",
    )


def old_nix(builder: str, version: str) -> BuilderError:
    """A Nix that is too old to build for us."""
    return BuilderError(
        f"builder {builder}: its Nix is too old",
        expected="2.8 or newer",
        actual=version,
        actual_from=f"`nix-store --version` on {builder}",
        hint="install a newer Nix there, then run the same command again",
    )
