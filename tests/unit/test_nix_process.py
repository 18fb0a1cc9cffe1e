"""What Nix's programs are told, and what of their words reaches messages."""

from __future__ import annotations

from pathlib import Path

import pytest

from reprobuild.adapters.nix.process import environment, run
from reprobuild.adapters.nix_log import NixLogParser
from reprobuild.errors import ToolFailedError


def settings_of(config: str) -> dict[str, str]:
    return dict(line.split(" = ", 1) for line in config.splitlines() if " = " in line)


def test_a_key_that_is_named_comes_beside_those_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPROBUILD_TRUSTED_KEYS", "team-1:a team-2:b")
    named = environment({"extra-trusted-public-keys": "named-1:c"})
    assert settings_of(named["NIX_CONFIG"])["extra-trusted-public-keys"] == "team-1:a team-2:b named-1:c"
    assert "named-1" not in environment()["NIX_CONFIG"]


def test_a_login_that_nix_quotes_is_not_in_the_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nix = tmp_path / "nix"
    nix.write_text(
        "#!/bin/sh\n"
        "echo \"error: unable to download 'https://me:pa'ss@host/nix-cache-info?token=abc': HTTP error 401\" >&2\n"
        "exit 1\n"
    )
    nix.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(ToolFailedError) as failed:
        run("nix", ["copy"])
    assert failed.value.details == (
        "error: unable to download 'https://host/nix-cache-info': HTTP error 401",
    )


@pytest.mark.parametrize(
    "line",
    [
        "error: https://me:pass@host/x: 401",
        '@nix {"action":"msg","level":0,"msg":"unable to download \'https://me:pass@host/x\': 401"}',
        '@nix {"action":"start","id":1,"level":3,"type":101,"text":"downloading \'https://me:pass@host/x\'"}',
    ],
)
def test_a_login_that_nix_quotes_is_in_no_event(line: str) -> None:
    (event,) = NixLogParser().feed(line)
    assert "https://host/x" in str(event) and "pass" not in str(event)
