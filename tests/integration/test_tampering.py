"""Wrong bytes are caught and named, and with the network cut fetched sources are enough (row A3)."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.integration.conftest import World

from reprobuild.domain.digest import Digest
from reprobuild.domain.lock import Source
from reprobuild.services.fetch_places import Wanted, cached_file

pytestmark = pytest.mark.integration


def flip(file: Path) -> str:
    """Change one bit in the middle; size and time stay. Returns the digest of what it is now."""
    facts = file.stat()
    file.chmod(0o644)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    return str(Digest.of_bytes(bytes(content)))


def sources_of(project: Path) -> list[Source]:
    lock = json.loads((project / "reprobuild.lock").read_text())
    return [Source.model_validate_json(json.dumps(one)) for one in lock["sources"]]


@dataclass
class Desk:
    """A project whose sources lie in a download cache of its own, and nothing else that gives them."""

    world: World
    root: Path
    project: Path

    @property
    def env(self) -> dict[str, str]:
        return {"XDG_CACHE_HOME": str(self.root / "cache")}

    def source(self, kind: str) -> Source:
        return next(one for one in sources_of(self.project) if one.kind == kind)

    def cached(self, source: Source) -> Path:
        return cached_file(self.root / "cache" / "reprobuild", Wanted.of(source))

    def empty_store(self, name: str, *, knows_indexes: bool = False) -> World:
        return self.world.fresh_store(self.root / name, knows_indexes=knows_indexes)


@pytest.fixture
def desk(world: World, sourced: Path, tmp_path: Path) -> Desk:
    made = Desk(world, tmp_path, sourced)
    downloads = Path(world.environment()["XDG_CACHE_HOME"]) / "reprobuild"
    for source in sources_of(sourced):
        if source.kind == "data":
            continue
        # a seed's path is what was taken out of its package
        held = cached_file(downloads, Wanted.of(source))
        origin = held if source.kind == "seed" else world.file(source.store_path)
        made.cached(source).parent.mkdir(parents=True)
        shutil.copyfile(origin, made.cached(source))
    return made


@pytest.mark.parametrize("kind", ["wheel", "tool", "deb", "seed"])
def test_one_flipped_byte_in_a_download_is_named_with_both_hashes_and_thrown_away(
    desk: Desk, kind: str
) -> None:
    source = desk.source(kind)
    cached, expected = desk.cached(source), str(Wanted.of(source).digest)
    actual = flip(cached)
    store = desk.empty_store("first")

    done = store.reprobuild("fetch", "--offline", cwd=desk.project, env=desk.env, status=102)
    assert f"{kind} {source.name} {source.version}: content differs from the lock" in done.stderr
    for said in (expected, actual, str(cached)):
        assert said in done.stderr
    assert not cached.exists()
    assert not store.file(source.store_path).exists()

    done = store.reprobuild("fetch", "--offline", cwd=desk.project, env=desk.env, status=3)
    assert "1 of 1 missing sources" in done.stderr
    assert f"{source.subject}  {source.file_name}" in done.stderr


@pytest.mark.parametrize("kind", ["wheel", "deb"])
def test_with_the_network_a_flipped_download_is_named_and_fetched_again(desk: Desk, kind: str) -> None:
    source = desk.source(kind)
    cached, right = desk.cached(source), desk.cached(source).read_bytes()
    actual = flip(cached)
    store = desk.empty_store("first", knows_indexes=True)
    done = store.reprobuild("fetch", "--json", cwd=desk.project, env=desk.env)
    origin = next(one for one in json.loads(done.stdout)["fetched"] if one["source"] == source.subject)
    assert origin["origin"] in ("index", "mirror", "wheelhouse")
    assert actual in done.stderr
    assert store.file(source.store_path).read_bytes() == right


@pytest.mark.parametrize("kind", ["wheel", "tool"])
@pytest.mark.parametrize("variable", ["PIP_FIND_LINKS", "UV_FIND_LINKS"])
def test_one_flipped_byte_in_a_wheelhouse_is_named_with_both_hashes(
    desk: Desk, kind: str, variable: str
) -> None:
    source = desk.source(kind)
    house = desk.root / "wheelhouse"
    house.mkdir()
    wheel = house / source.file_name
    shutil.move(desk.cached(source), wheel)
    actual = flip(wheel)
    env = {**desk.env, variable: str(house)}
    done = desk.empty_store("first").reprobuild("fetch", "--offline", cwd=desk.project, env=env, status=102)
    for said in (source.name, str(source.sha256), actual, str(wheel)):
        assert said in done.stderr
    assert wheel.exists()  # not ours to remove


def test_one_flipped_byte_in_a_data_file_is_named_with_both_hashes(desk: Desk) -> None:
    source = desk.source("data")
    rows = desk.project / "rows.csv"
    right = rows.read_bytes()
    actual = flip(rows)
    store = desk.empty_store("first")
    done = store.reprobuild("fetch", "--offline", cwd=desk.project, env=desk.env, status=102)
    for said in ("dataset rows: content differs from the lock", str(source.sha256), actual, "rows.csv"):
        assert said in done.stderr
    assert not store.file(source.store_path).exists()
    assert rows.exists()
    rows.write_bytes(right)
    fetched = json.loads(
        store.reprobuild("fetch", "--offline", "--json", cwd=desk.project, env=desk.env).stdout
    )
    assert {one["source"]: one["origin"] for one in fetched["fetched"]} == {"data rows": "project"}


def test_a_changed_data_file_makes_the_lock_stale_and_pinned_bytes_go_on(world: World, tiny: Path) -> None:
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


def test_with_the_network_cut_fetched_sources_are_enough(world: World, sourced: Path, tmp_path: Path) -> None:
    """Everything is built, from the first package on, in a store that has the sources only."""
    store = world.fresh_store(tmp_path)
    fetched = store.json("fetch", cwd=sourced)
    assert len(fetched["fetched"]) == len(sources_of(sourced))
    evaluated: dict[str, Any] = store.json("nix", "eval", cwd=sourced)
    outputs = [one["out_path"] for one in (*evaluated["derivations"].values(), *evaluated["wheels"])]
    assert [path for path in outputs if store.file(path).exists()] == []

    done = store.reprobuild("nix", "build", "--json", cwd=sourced, offline=True)
    built = set(json.loads(done.stdout)["built"])
    assert {"base", "environment", "train", "evaluate", "model"} <= built
    assert [path for path in outputs if not store.file(path).exists()] == []


def test_offline_says_exactly_what_is_missing(world: World, tiny: Path, tmp_path: Path) -> None:
    empty = world.fresh_store(tmp_path, knows_indexes=False)
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
