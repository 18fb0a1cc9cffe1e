"""How ssh is called for a builder: an address is never an option, whatever it says."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from reprobuild.adapters import ssh
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
