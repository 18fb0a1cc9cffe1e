"""What ssh and Nix say about a builder becomes one clear line. Texts as OpenSSH 9.2 and Nix 2.8 wrote them."""

from __future__ import annotations

import pytest

from reprobuild.core.connection import connection_error

SAID = {
    "ssh: connect to host 10.93.1.2 port 22: Connection timed out": "it does not answer",
    "ssh: connect to host 10.93.1.2 port 22: Connection refused": "no ssh server answers there",
    "ssh: Could not resolve hostname nohost: Temporary failure in name resolution": "there is no machine of that name",
    "root@10.93.1.2: Permission denied (publickey).": "it refuses the key of this machine",
    "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.": "another host key",
    "No ED25519 host key is known for 10.0.0.1 and you have requested strict checking.\n"
    "Host key verification failed.": "its host key is not known on this machine",
    "bash: line 1: nix-daemon: command not found": "none that ssh can start",
}


@pytest.mark.parametrize(("said", "actual"), SAID.items())
def test_each_reason_not_to_reach_a_builder_has_its_words(said: str, actual: str) -> None:
    error = connection_error("gpu", said)
    assert error is not None and error.message.startswith("gpu: ")
    assert actual in (error.actual or "") and error.hint
    assert error.exit_status == 3


def test_a_connection_that_broke_is_no_failed_build() -> None:
    error = connection_error(
        "gpu", "Connection to 10.93.1.2 closed by remote host.\nerror: unexpected end-of-file"
    )
    assert error is not None and error.message == "gpu: the connection broke"


def test_a_full_disk_names_the_machine() -> None:
    error = connection_error("gpu", "error: writing to file: No space left on device")
    assert error is not None and error.slug == "disk-full" and "gpu" in error.message


def test_anything_else_is_not_the_connection_s_doing() -> None:
    assert connection_error("gpu", "error: a 'x86_64-linux' with features {cuda} is required") is None
