"""How ssh is called for a builder: an address is never an option, whatever it says."""

from __future__ import annotations

import shlex
import subprocess
from typing import Any

import pytest

from reprobuild.adapters import builder, ssh
from reprobuild.core.builder_entry import builder_uri
from reprobuild.domain.machine import Machine
from reprobuild.errors import UsageError


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that would have run."""
    commands: list[list[str]] = []

    def run(arguments: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        commands.append(arguments)
        return subprocess.CompletedProcess(arguments, 0, b"", b"")

    monkeypatch.setattr(ssh.subprocess, "run", run)
    return commands


def test_the_destination_comes_after_all_options(called: list[list[str]]) -> None:
    ssh.run_there(Machine("ssh-ng://root@gpu1?compress=true", ()), "true")
    ((*_, dashes, destination, _),) = called
    assert (dashes, destination) == ("--", "root@gpu1")


def test_commands_are_for_a_posix_shell_whatever_the_user_has_there(called: list[list[str]]) -> None:
    ssh.run_there(Machine("ssh-ng://root@gpu1", ()), "f=$(mktemp) && echo 'a b' >\"$f\"")
    words = shlex.split(called[0][-1])
    assert words == ["sh", "-c", "f=$(mktemp) && echo 'a b' >\"$f\""]


def test_nix_and_we_connect_with_the_same_options(
    called: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NIX_SSHOPTS", "-p 2222")
    ssh.run_there(Machine("ssh-ng://root@gpu1", ()), "true")
    options = ssh.nix_environment()["NIX_SSHOPTS"].split()
    assert "2222" in options and called[0][1 : 1 + len(options)] == options


@pytest.mark.parametrize(
    "address",
    ["ssh-ng://-oProxyCommand=id", "ssh://root@-oProxyCommand=id", "ssh://-oProxyCommand=id@host", "ssh-ng://",
     "ssh-ng://root@", "ssh-ng://@host"],
)  # fmt: skip
def test_what_ssh_would_take_for_an_option_is_refused(address: str, called: list[list[str]]) -> None:
    with pytest.raises(UsageError, match="no address of a builder"):
        ssh.run_there(Machine(address, ()), "true")
    with pytest.raises(UsageError, match="no address of a builder"):
        builder_uri(address)
    assert called == []


def test_a_bare_name_that_is_an_option_is_refused() -> None:
    with pytest.raises(UsageError, match="no address of a builder"):
        builder_uri("-oProxyCommand=id")


@pytest.mark.parametrize(
    ("taken_s", "mbit_per_s"),
    [
        # first connection, three empty ones, 8 MiB twice
        ([3.0, 0.30, 0.32, 0.31, 1.30, 1.30], 67),
        ([3.0, 1.20, 0.30, 0.31, 2.50, 1.30], 67),  # other work slows single ones
        ([0.3, 0.30, 0.32, 0.32, 0.30, 0.30], 3355),  # nothing to be told beyond what connections differ by
    ],
)
def test_a_slow_connection_makes_no_quick_link(
    taken_s: list[float], mbit_per_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([moment for one in taken_s for moment in (0.0, one)])
    monkeypatch.setattr(builder, "run_there", lambda *_, **__: "")
    monkeypatch.setattr(builder.time, "monotonic", lambda: next(clock))
    rate = builder.SshBuilders().upload_rate(Machine("ssh-ng://root@far", ()))
    assert round(rate * 8 / 1e6) == mbit_per_s
