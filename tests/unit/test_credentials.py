from __future__ import annotations

from pathlib import Path

from reprobuild.adapters.credentials import Credentials, find_netrc, keyring_command
from reprobuild.core.addresses import redact, without_login

CANARY = "canary-s3cret"


def test_an_address_is_shown_without_anything_secret() -> None:
    url = f"https://me:{CANARY}@host.example:8443/simple/x.whl?token={CANARY}#sha256={CANARY}"
    assert redact(url) == "https://host.example:8443/simple/x.whl"
    assert redact(f"http://me:{CANARY}@[bad/") == "(not an address)"
    assert without_login(f"https://me:{CANARY}@host.example/a?b=c") == "https://host.example/a?b=c"


def test_a_configured_index_speaks_for_its_own_origin_only() -> None:
    found = Credentials([f"https://me:{CANARY}@host.example/simple"])
    assert found.login_for("https://host.example/files/x.whl") == ("me", CANARY)
    for other in ("https://other.example/", "http://host.example/", "https://host.example:8443/"):
        assert found.login_for(other) is None


def test_quoted_passwords_are_unquoted() -> None:
    assert Credentials(["https://a%40b:p%2Fw@host.example/"]).login_for("https://host.example/") == (
        "a@b",
        "p/w",
    )


def test_netrc_is_read_for_the_host(tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text(f"machine host.example\n  login me\n  password {CANARY}\n")
    found = Credentials(netrc_file=find_netrc({}, tmp_path))
    assert found.login_for("https://host.example/x") == ("me", CANARY)
    assert found.login_for("https://sub.host.example/x") is None


def test_the_netrc_variable_names_another_file(tmp_path: Path) -> None:
    assert find_netrc({"NETRC": "/elsewhere/netrc"}, tmp_path) == Path("/elsewhere/netrc")
    assert find_netrc({}, tmp_path) is None


def test_a_damaged_netrc_is_no_netrc(tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine\nmachine nonsense what\n")
    assert Credentials(netrc_file=tmp_path / ".netrc").login_for("https://host.example/") is None


def test_the_keyring_is_asked_once_for_the_configured_user() -> None:
    asked = []

    def keyring(service: str, user: str) -> str | None:
        asked.append((service, user))
        return CANARY if service == "host.example" else None

    found = Credentials(["https://me@host.example/simple"], keyring=keyring)
    assert [found.login_for("https://host.example/x") for _ in range(3)] == [("me", CANARY)] * 3
    assert asked == [("https://host.example/simple", "me"), ("host.example", "me")]
    assert found.login_for("https://nobody.example/") is None
    assert len(asked) == 2


def test_the_keyring_program_is_run_with_service_and_user(tmp_path: Path) -> None:
    program = tmp_path / "keyring"
    program.write_text('#!/bin/sh\n[ "$1 $2 $3" = "get host.example me" ] && echo pass-word\n')
    program.chmod(0o755)
    ask = keyring_command({"PATH": f"{tmp_path}:/bin:/usr/bin"})
    assert ask is not None
    assert ask("host.example", "me") == "pass-word"
    assert ask("host.example", "you") is None
    assert keyring_command({"PATH": "/nowhere"}) is None


def test_secrets_are_taken_out_of_text() -> None:
    found = Credentials([f"https://me:{CANARY}@host.example/"])
    assert CANARY not in found.scrub(f"failed: https://me:{CANARY}@host.example/")
    assert CANARY not in repr(found.login_for("https://host.example/"))
