"""What Nix's programs are told, and what of their words reaches messages."""

from __future__ import annotations

from pathlib import Path

import pytest

from reprobuild.adapters.nix.process import environment, run
from reprobuild.errors import ToolFailedError


def settings_of(config: str) -> dict[str, str]:
    return dict(line.split(" = ", 1) for line in config.splitlines() if " = " in line)


def test_a_key_that_is_named_comes_beside_those_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPROBUILD_TRUSTED_KEYS", "team-1:a team-2:b")
    named = environment({"extra-trusted-public-keys": "named-1:c"})
    assert settings_of(named["NIX_CONFIG"])["extra-trusted-public-keys"] == "team-1:a team-2:b named-1:c"
    assert "named-1" not in environment()["NIX_CONFIG"]
