"""Builders, with a real Nix: which machine runs a stage is known before anything is fetched or built."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.integration.conftest import World, write_tiny

pytestmark = pytest.mark.integration

GPU = """
[hardware]
accelerator = "nvidia"
compute_capability = "9.0"
"""


def ask_for_gpu(project: Path) -> None:
    spec = project / "reprobuild.toml"
    spec.write_text(spec.read_text().replace('run = "train.py"', 'run = "train.py"\ngpu = true') + GPU)


@pytest.fixture(scope="module")
def gpu_lock(world: World, tiny_lock: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The lock of a project that asks for a GPU: one tool more than the same without."""
    project = write_tiny(tmp_path_factory.mktemp("gpu") / "tiny")
    (project / "reprobuild.lock").write_text(tiny_lock)
    ask_for_gpu(project)
    world.reprobuild("lock", cwd=project)
    return (project / "reprobuild.lock").read_text()


@pytest.fixture
def on_gpu(tiny: Path, gpu_lock: str) -> Path:
    """A locked project whose training asks for a GPU that no test machine has."""
    ask_for_gpu(tiny)
    (tiny / "reprobuild.lock").write_text(gpu_lock)
    return tiny


def write_machines(world: World, text: str) -> Path:
    file = world.home / ".config/reprobuild/machines"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def test_where_nothing_fits_nothing_is_fetched_or_built_and_a_table_says_why(
    world: World, on_gpu: Path, tmp_path: Path
) -> None:
    write_machines(world, "ssh-ng://root@192.0.2.7 x86_64-linux - 1 1 cuda,cuda-sm-80\n")
    fresh = world.fresh_store(tmp_path)
    for command in ("plan", "build"):
        refused = fresh.reprobuild(command, cwd=on_gpu, status=3).stderr
        assert "error: stage train: no known builder can run it" in refused
        row = next(line for line in refused.splitlines() if line.startswith("  | 192.0.2.7"))
        assert row.split("  ")[-1].strip() == "✗ 8.0"
        assert "nearest fit: 192.0.2.7, but lacks cuda-sm-90" in refused
    assert not list((fresh.nix / "store").glob("*.deb"))
    document = fresh.json("plan", cwd=on_gpu, status=3)
    assert document["slug"] == "no-builder"
    assert document["offers"][1] == {
        "builder": "192.0.2.7",
        "system": "✓",
        "CUDA": "✓",
        "compute capability": "✗ 8.0",
    }


def test_plan_says_which_builder_runs_each_stage(world: World, on_gpu: Path) -> None:
    write_machines(world, "ssh-ng://root@192.0.2.9 x86_64-linux - 1 1 cuda,cuda-sm-90\n")
    assert "train     on 192.0.2.9" in world.reprobuild("plan", cwd=on_gpu).stdout
    where = world.json("plan", cwd=on_gpu)["where"]
    assert [(one["stage"], one["builder"], one["address"]) for one in where] == [
        ("train", "192.0.2.9", "ssh-ng://root@192.0.2.9"),
        ("evaluate", "this machine", ""),
    ]


def test_this_machine_is_one_of_them(world: World, on_gpu: Path) -> None:
    write_machines(world, "")
    config = {"NIX_CONFIG": "build-users-group =\nextra-system-features = cuda cuda-sm-90"}
    where = world.json("plan", cwd=on_gpu, env=config)["where"]
    assert [one["builder"] for one in where] == ["this machine", "this machine"]


def test_builders_of_nixs_own_setting_count(world: World, on_gpu: Path) -> None:
    write_machines(world, "")
    builders = "build-users-group =\nbuilders = @/nowhere ; ssh://gpu1 - - 1 1 cuda,cuda-sm-90"
    where = world.json("plan", cwd=on_gpu, env={"NIX_CONFIG": builders})["where"]
    assert where[0]["address"] == "ssh://gpu1"
