"""Locking with the real resolvers: the same spec gives the same lock, byte for byte (row A2)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.integration.conftest import World, write_sourced

pytestmark = pytest.mark.integration


def test_two_folders_with_empty_caches_get_the_same_lock(world: World, tmp_path: Path) -> None:
    locks = []
    for name in ("first", "second place"):
        project, cache, home = (tmp_path / name / part for part in ("project", "cache", "home"))
        write_sourced(project)
        home.mkdir()
        world.reprobuild("lock", cwd=project, env={"XDG_CACHE_HOME": str(cache), "HOME": str(home)})
        assert (cache / "reprobuild").is_dir()  # it did resolve there
        locks.append((project / "reprobuild.lock").read_bytes())
    assert locks[0] == locks[1]
    for kind in (b"deb", b"seed", b"tool", b"wheel", b"data"):
        assert b'"kind": "%s"' % kind in locks[0]
