"""Wrong bytes are caught and named, and with the network cut fetched sources are enough (row A3)."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from tests.integration.conftest import World

pytestmark = pytest.mark.integration


def cached_files(cache: Path) -> Path:
    return cache / "reprobuild" / "files"


def flip(file: Path) -> None:
    """Change one bit in the middle; size and time stay."""
    facts = file.stat()
    file.chmod(0o644)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def fresh_store(world: World, folder: Path) -> World:
    """The same home, an empty store."""
    made = World(folder / "nix", world.home)
    (made.nix / "store").mkdir(parents=True)
    return made


@pytest.mark.parametrize("kind", ["deb", "tool"])
def test_one_flipped_byte_in_a_cached_file_is_not_used(
    world: World, tiny: Path, tmp_path: Path, kind: str
) -> None:
    cache = tmp_path / "cache"
    env = {"XDG_CACHE_HOME": str(cache)}
    first = fresh_store(world, tmp_path / "first")
    first.reprobuild("fetch", cwd=tiny, env=env)
    lock = json.loads((tiny / "reprobuild.lock").read_text())
    source = next(s for s in lock["sources"] if s["kind"] == kind)
    cached = next(cached_files(cache).rglob(f"{source['name']}*"))
    flip(cached)
    second = fresh_store(world, tmp_path / "second")
    done = second.reprobuild("fetch", "--offline", cwd=tiny, env=env, status=None)
    assert done.returncode != 0
    assert source["name"] in done.stderr
    assert source["sha256"] in done.stderr or "missing" in done.stderr


def test_one_flipped_byte_in_a_wheelhouse_is_named_with_both_hashes(
    world: World, tiny: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    fresh_store(world, tmp_path / "first").reprobuild("fetch", cwd=tiny, env={"XDG_CACHE_HOME": str(cache)})
    lock = json.loads((tiny / "reprobuild.lock").read_text())
    wheel = next(s for s in lock["sources"] if s["kind"] == "tool" and s["name"] == "installer")
    house = tmp_path / "wheelhouse"
    house.mkdir()
    cached = next(cached_files(cache).rglob("installer*.whl"))
    shutil.move(cached, house / wheel["file_name"])
    flip(house / wheel["file_name"])
    env = {"XDG_CACHE_HOME": str(cache), "PIP_FIND_LINKS": str(house), "PIP_NO_INDEX": "1"}
    done = fresh_store(world, tmp_path / "second").reprobuild(
        "fetch", "--offline", cwd=tiny, env=env, status=None
    )
    assert done.returncode in (3, 102)
    assert wheel["sha256"] in done.stderr
    assert str(house) in done.stderr


def test_a_changed_data_file_is_named_with_both_hashes(world: World, tiny: Path) -> None:
    (tiny / "rows.csv").write_text("a,b\n1,2\n")
    spec = tiny / "reprobuild.toml"
    spec.write_text(
        spec.read_text().replace(
            "[stages.train]",
            '[datasets.rows]\npath = "rows.csv"\nsource = "tests"\nlicense = "CC0-1.0"\n'
            'retrieved = "2026-11-20"\n\n[stages.train]\ndata = ["rows"]',
        )
    )
    world.reprobuild("lock", cwd=tiny)
    world.reprobuild("nix", "build", cwd=tiny)
    (tiny / "rows.csv").write_text("a,b\n1,3\n")
    done = world.reprobuild("lock", "--check", cwd=tiny, status=1)
    assert "dataset rows: content differs from the lock" in done.stderr
    assert "--update rows" in done.stderr
    # the pinned bytes are in the store: a build goes on with those
    world.reprobuild("lock", "--update", "rows", cwd=tiny)
    assert "train" in world.json("nix", "build", cwd=tiny)["built"]


def test_with_the_network_cut_fetched_sources_are_enough(world: World, tiny: Path) -> None:
    world.reprobuild(
        "nix", "build", "--offline", "--set", "train.params.lr=0.77", cwd=tiny, offline=True, status=100
    )
    built = world.reprobuild("nix", "build", "--set", "train.params.lr=0.44", cwd=tiny, offline=True)
    assert "/nix/store/" in built.stdout


def test_offline_says_exactly_what_is_missing(world: World, tiny: Path, tmp_path: Path) -> None:
    empty = fresh_store(world, tmp_path)
    done = empty.reprobuild(
        "nix", "build", "--offline", cwd=tiny, env={"XDG_CACHE_HOME": str(tmp_path / "cache")}, status=3
    )
    lock = json.loads((tiny / "reprobuild.lock").read_text())
    for source in lock["sources"]:
        assert source["name"] in done.stderr


def test_a_stale_lock_is_refused_with_the_command_that_mends_it(world: World, tiny: Path) -> None:
    spec = tiny / "reprobuild.toml"
    spec.write_text(spec.read_text().replace("[artifact]", '[python]\nrequirements = ["numpy"]\n[artifact]'))
    done = world.reprobuild("nix", "build", cwd=tiny, status=2)
    assert "reprobuild.lock is stale: [python] has changed" in done.stderr
    assert "run `reprobuild lock`" in done.stderr
    (tiny / "reprobuild.lock").unlink()
    done = world.reprobuild("nix", "build", cwd=tiny, status=2)
    assert "run `reprobuild lock`" in done.stderr
