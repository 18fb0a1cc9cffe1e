"""What holds for all tests."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def not_a_run_on_github(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages are as on a terminal, also where GitHub runs the tests."""
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
