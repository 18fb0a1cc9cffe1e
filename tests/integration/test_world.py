"""The throw-away store of these tests: a command that cannot have it does not run at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.integration import conftest
from tests.integration.conftest import World

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("offline", [False, True])
def test_a_command_without_its_store_does_not_run(world: World, tmp_path: Path, offline: bool) -> None:
    lost = World(tmp_path / "not there", world.home)
    done = lost.run(["touch", "ran"], cwd=tmp_path, offline=offline)
    assert done.returncode != 0
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("offline", [False, True])
def test_a_command_sees_the_worlds_store_and_no_other(world: World, tmp_path: Path, offline: bool) -> None:
    fresh = world.fresh_store(tmp_path)
    (fresh.nix / "mark").touch()
    done = fresh.run(["ls", "/nix", "/nix/store"], cwd=tmp_path, offline=offline)
    assert done.stdout.split() == ["/nix:", "mark", "store", "/nix/store:"]


def test_with_the_network_cut_there_is_loopback_only(world: World, tmp_path: Path) -> None:
    done = world.run(["cat", "/proc/net/dev"], cwd=tmp_path, offline=True)
    assert [line.split(":")[0].strip() for line in done.stdout.splitlines()[2:]] == ["lo"]


def test_where_tests_must_build_what_would_be_skipped_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(pytest.skip.Exception):
        monkeypatch.setattr(conftest, "MUST_BUILD", False)
        conftest.cannot_build("no Nix")
    with pytest.raises(pytest.fail.Exception):
        monkeypatch.setattr(conftest, "MUST_BUILD", True)
        conftest.cannot_build("no Nix")
