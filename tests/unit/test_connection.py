"""What ssh and Nix say about work on a builder becomes one clear line. Texts as OpenSSH 9.2 and Nix 2.8 wrote them."""

from __future__ import annotations

import pytest

from reprobuild.core.connection import connection_error
from reprobuild.core.ssh_failure import ssh_failure


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("Connection to 10.93.1.2 closed by remote host.\nerror: unexpected end-of-file", "the connection broke"),
        ("Timeout, server 10.93.1.2 not responding.", "the connection broke"),
        ("ssh: connect to host 10.93.1.2 port 22: Connection timed out\n"
         "error: cannot open connection to remote store: unexpected end-of-file", "it cannot be reached"),
        ("error: writing to file: No space left on device", "its disk is full"),
        ("client_loop: send disconnect: Broken pipe\r\nerror: writing to file: Broken pipe", "the connection broke"),
        ("kex_exchange_identification: read: Connection reset by peer\r\n"
         "Connection reset by 10.0.0.1 port 22", "it cannot be reached"),
        ("bash: line 1: nix-daemon: command not found", "find no Nix"),
    ],
)  # fmt: skip
def test_the_machine_is_named_and_what_is_wrong_with_it(said: str, words: str) -> None:
    error = connection_error("gpu", said)
    assert error is not None and error.exit_status == 3 and error.hint
    assert error.message.startswith("builder gpu: ") and words in error.message


OFFLINE = (
    "warning: error: unable to download 'https://cache.example.org/nix-cache-info': Failed to connect to "
    "cache.example.org port 443: {} (7); retrying in 271 ms"
)


@pytest.mark.parametrize("why", ["Connection refused", "Connection timed out", "Connection reset by peer"])
@pytest.mark.parametrize("last", ["", "\nerror: builder for '/nix/store/x.drv' failed with exit code 1"])
def test_a_builder_without_its_own_caches_is_not_one_that_cannot_be_reached(why: str, last: str) -> None:
    assert connection_error("gpu", OFFLINE.format(why) + last) is None
    assert ssh_failure("gpu", OFFLINE.format(why) + last) is None


def test_what_a_stage_could_not_reach_is_not_the_builder() -> None:
    said = "error: 1 dependencies failed\n  > ConnectionRefusedError: [Errno 111] Connection refused"
    assert connection_error("gpu", said) is None


def test_anything_else_is_not_the_machine_s_doing() -> None:
    assert connection_error("gpu", "error: a 'x86_64-linux' with features {cuda} is required") is None
