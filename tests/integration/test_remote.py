"""Builds on other machines, over a real ssh, with stores of their own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.conftest import World
from tests.integration.hosts import Lab, lab

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Two machines: one for everything, one with the features of a GPU machine (a stand-in: there is no GPU)."""
    with lab(tmp_path_factory.mktemp("remote") / "lab") as made:
        made.host("cpu")
        made.host("gpu", ["cuda", "gpu-h100"])
        yield made


@pytest.fixture
def client(pair: Lab, world: World, tiny_lock: str) -> World:
    return pair.world(world)


def fresh(project: Path, what: str) -> Path:
    """A training that no test has run before."""
    (project / "train.py").write_text((project / "train.py").read_text() + f"\n# {what}\n")
    return project


def test_a_model_is_built_there_and_comes_back(client: World, pair: Lab, tiny: Path) -> None:
    fresh(tiny, "first remote one")
    cpu = pair.hosts["cpu"]
    done = client.json("nix", "build", "--builder", cpu.uri, cwd=tiny)
    model = done["outputs"]["model"]
    assert cpu.valid(model) and client.file(model).is_dir()
    assert (tiny / "result").readlink() == Path(model)
    record = json.loads(Path(done["record"]).read_text())
    assert {one["builder"] for one in record["outputs"]} == {"cpu"}
    assert all(one["nar_hash"] and one["status"] == "built" for one in record["outputs"])
    train = record["outputs"][0]
    assert "epoch" in Path(train["log_path"]).read_text()
    assert not client.file(train["out_path"]).exists()  # only what was asked for comes back
