"""What is packed is what was asked for, or nothing is packed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from reprobuild.adapters import resources
from reprobuild.errors import ContentMismatchError
from reprobuild.services.archive import ArchiveService

from .build_fakes import World
from .test_cache_services import Cache, transfer


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def service(world: World, cache: Cache, instantiate: Callable[[Path], str]) -> ArchiveService:
    return ArchiveService(
        build=world.service(),
        store=world,
        transfer=transfer(world, cache),
        fetch=lambda project, sources: world.valid.update(source.store_path for source in sources),
        instantiate=instantiate,
        data_root=resources.nix_library().parent,
        templates=resources.templates(),
    )


def test_it_is_written_when_it_gives_the_derivation(world: World, tmp_path: Path) -> None:
    asked: list[str] = []

    def same(file: Path) -> str:
        asked.append((file.parent / "project/train.py").read_text())
        return world.drv("digits-1.0.0").drv_path

    done = service(world, Cache(world), same).pack(world.project(), tmp_path / "archived")
    assert (done.folder / "rebuild").is_file() and asked == ["1"]


def test_nothing_is_left_where_it_would_give_another_one(world: World, tmp_path: Path) -> None:
    """As when a file is edited while it is packed."""
    cache = Cache(world)
    other = world.drv("other").drv_path
    with pytest.raises(ContentMismatchError, match="another derivation") as refused:
        service(world, cache, lambda file: other).pack(world.project(), tmp_path / "archived")
    assert (refused.value.expected, refused.value.actual) == (world.drv("digits-1.0.0").drv_path, other)
    assert not list(tmp_path.glob("*archived*")) and cache.pushed == []
