"""A user without privileges, building through nix-daemon: what the daemon allows decides."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests.integration.conftest import World
from tests.integration.stranger import as_user

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0, reason="starts a daemon of its own, which needs root"),
]


def test_a_daemon_without_sandbox_is_found_out_and_nothing_is_built(world: World, tiny: Path) -> None:
    done = as_user(world, tiny, "false", "doctor", "--json")
    findings = {f["name"]: f for f in json.loads(done.stdout)["findings"]}
    assert done.returncode == 3
    assert findings["store"]["found"] == "through nix-daemon"
    assert findings["sandbox"]["state"] == "failed"
    assert "sandbox = true" in findings["sandbox"]["mend"]
    done = as_user(world, tiny, "false", "nix", "build", "--set", "train.params.lr=0.23")
    assert done.returncode == 3, done.stderr
    assert "nix-daemon has `sandbox = false`" in done.stderr
    assert "nothing was built" in done.stderr


def test_a_user_builds_through_a_daemon_with_sandbox(world: World, tiny: Path) -> None:
    done = as_user(world, tiny, "true", "nix", "build", "--json", "--set", "train.params.lr=0.24")
    assert done.returncode == 0, done.stderr
    assert "train" in json.loads(done.stdout)["built"]
