"""What ssh and Nix say about work on a builder becomes one clear line. Texts as OpenSSH 9.2 and Nix 2.8 wrote them."""

from __future__ import annotations

import pytest

from reprobuild.core.connection import connection_error


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("Connection to 10.93.1.2 closed by remote host.\nerror: unexpected end-of-file", "the connection broke"),
        ("Timeout, server 10.93.1.2 not responding.", "the connection broke"),
        ("ssh: connect to host 10.93.1.2 port 22: Connection timed out\n"
         "error: cannot open connection to remote store: unexpected end-of-file", "it cannot be reached"),
        ("error: writing to file: No space left on device", "its disk is full"),
        ("bash: line 1: nix-daemon: command not found", "find no Nix"),
    ],
)  # fmt: skip
def test_the_machine_is_named_and_what_is_wrong_with_it(said: str, words: str) -> None:
    error = connection_error("gpu", said)
    assert error is not None and error.exit_status == 3 and error.hint
    assert error.message.startswith("builder gpu: ") and words in error.message


def test_anything_else_is_not_the_machine_s_doing() -> None:
    assert connection_error("gpu", "error: a 'x86_64-linux' with features {cuda} is required") is None
