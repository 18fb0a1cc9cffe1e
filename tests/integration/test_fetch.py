"""Fetching into a real store: the paths that we compute are the paths that Nix makes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.fakes import wheel_source
from tests.integration.conftest import REPOSITORY, World

from reprobuild.domain.digest import Digest
from reprobuild.domain.lock import Source

pytestmark = pytest.mark.integration

WHEEL, ROWS = b"not really a wheel", b"a,b\n1,2\n"


class Desk:
    def __init__(self, world: World, root: Path) -> None:
        self.world, self.root = world, root
        self.wheel = wheel_source(
            f"alpha{root.name.translate({ord('-'): '', ord('_'): ''})}", WHEEL, local="+cpu"
        )
        self.data = Source(
            kind="data",
            name="rows",
            file_name=f"rows {root.name}.csv",
            sha256=Digest.of_bytes(ROWS),
            size_bytes=len(ROWS),
            path="rows.csv",
        )
        (root / "wheels").mkdir()
        (root / "wheels" / self.wheel.file_name).write_bytes(WHEEL)
        (root / "rows.csv").write_bytes(ROWS)
        rows = [source.model_dump(mode="json") for source in (self.wheel, self.data)]
        (root / "sources.json").write_text(json.dumps(rows))

    def fetch(self, *options: str, status: int = 0) -> dict[str, Any]:
        probe = REPOSITORY / "tests/integration/fetch_probe.py"
        words = [
            sys.executable,
            str(probe),
            "sources.json",
            str(self.root),
            str(self.root / "cache"),
            *options,
        ]
        environment = {
            "PYTHONPATH": f"{REPOSITORY / 'python'}:{REPOSITORY}",
            "UV_FIND_LINKS": str(self.root / "wheels"),
            "PIP_CONFIG_FILE": "/dev/null",
        }
        done = self.world.run(words, cwd=self.root, env=environment, offline=True)
        assert done.returncode == status, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    @property
    def paths(self) -> list[str]:
        return [self.wheel.store_path, self.data.store_path]


@pytest.fixture
def desk(world: World, tmp_path: Path) -> Desk:
    return Desk(world, tmp_path)


def test_local_sources_land_where_the_lock_says_without_a_network(desk: Desk) -> None:
    assert desk.fetch("--offline") == {
        "fetched": {desk.wheel.name: "wheelhouse", "rows": "project"},
        "reused": [],
    }
    assert [desk.world.file(path).read_bytes() for path in desk.paths] == [WHEEL, ROWS]
    assert desk.fetch("--offline") == {"fetched": {}, "reused": [desk.wheel.name, "rows"]}


def test_a_flipped_byte_never_reaches_the_store(desk: Desk) -> None:
    (desk.root / "rows.csv").write_bytes(b"a,b\n1,3\n")
    error = desk.fetch("--offline", status=102)
    assert (error["message"], error["actual_from"]) == (
        "dataset rows: content differs from the lock",
        "rows.csv",
    )
    assert not desk.world.file(desk.data.store_path).exists()


def test_a_binary_cache_goes_before_everything_else(desk: Desk) -> None:
    desk.fetch("--offline")
    cache = (desk.root / "binary-cache").as_uri()
    experimental = ("--extra-experimental-features", "nix-command")
    for words in (
        ["nix", *experimental, "copy", "--to", cache, *desk.paths],
        ["nix-store", "--delete", *desk.paths],
    ):
        done = desk.world.run(words, cwd=desk.root)
        assert done.returncode == 0, done.stderr
    found = desk.fetch("--offline", cache)
    assert found["fetched"] == {desk.wheel.name: "binary-cache", "rows": "binary-cache"}
    assert desk.world.file(desk.paths[0]).read_bytes() == WHEEL
