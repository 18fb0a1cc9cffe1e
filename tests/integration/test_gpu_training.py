"""The project of tests/gpu, from lock to verdict, on a FAKE driver: what a run on a real GPU does, without one.

The fake libraries of tests/fake_gpu reach the stage through the hook, as a driver's would. Their arithmetic is C on
the processor: nothing here says how a GPU computes.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.fake_gpu.build import H100, build_fake_driver
from tests.gpu_host import LIBRARY_FOLDER, write_gpu_host, write_hook
from tests.integration.conftest import REPOSITORY, World

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def project(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project") / "driver-only"
    shutil.copytree(REPOSITORY / "tests/gpu/project", folder)
    spec = folder / "reprobuild.toml"
    text = spec.read_text().replace("rows = 65536", "rows = 2048").replace("steps = 200", "steps = 60")
    spec.write_text(text.replace("maximum = 0.1\n", "maximum = 0.5\n"))
    world.reprobuild("lock", cwd=folder)
    world.reprobuild("fetch", cwd=folder)
    return folder


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A machine with the fake driver, and the profile that it tells."""
    folder = tmp_path_factory.mktemp("machine")
    host = write_gpu_host(folder / "host", libraries=False)
    driver = build_fake_driver(host / LIBRARY_FOLDER)
    (driver / "fake-gpu.txt").write_text(H100)
    (host / "etc/reprobuild").mkdir(parents=True)
    wanted = {"libraries": [f"/{LIBRARY_FOLDER}/fake-gpu.txt"]}
    (host / "etc/reprobuild/gpu-hook.json").write_text(json.dumps(wanted))
    hook = write_hook(folder, host)
    lines = ["build-users-group =", "extra-system-features = cuda", f"pre-build-hook = {hook}"]
    return {"NIX_CONFIG": "\n".join(lines)}


def test_it_trains_through_the_driver_that_the_hook_shows(
    world: World, project: Path, settings: dict[str, str]
) -> None:
    built: dict[str, Any] = world.json("nix", "build", cwd=project, env=settings)
    assert {"train", "evaluate", "model"} <= set(built["built"])
    metrics = world.json("nix", "build", "--stage", "evaluate", cwd=project, env=settings)["outputs"][
        "evaluate"
    ]
    found = json.loads((world.file(metrics) / "metrics.json").read_text())
    assert found["loss_ratio"] < 0.5
    assert found["gpu_files_shown"] == 0, "evaluate does not ask for a GPU"


def test_rebuilds_of_it_give_equal_bytes(world: World, project: Path, settings: dict[str, str]) -> None:
    world.reprobuild("nix", "build", cwd=project, env=settings)
    verdict = world.json("verify", "--rounds", "3", cwd=project, env=settings)
    assert {stage["label"]: stage["equal"] for stage in verdict["stages"]}["train"] == 3
    assert verdict["ok"]


def test_without_the_hook_the_stage_refuses(world: World, project: Path) -> None:
    env = {"NIX_CONFIG": "build-users-group =\nextra-system-features = cuda"}
    done = world.reprobuild("nix", "build", "--set", "numerics.seed=2", cwd=project, env=env, status=100)
    assert "never run on the CPU instead" in done.stderr
