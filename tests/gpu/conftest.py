"""What the tests on a real GPU share: a machine set up by `reprobuild builder setup`, a locked project, the figures."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.integration.conftest import World, world  # noqa: F401  (a fixture)

from reprobuild.adapters.system_python import system_python
from reprobuild.core.nix_conf import builder_lines

PROJECT = Path(__file__).parent / "project"
# Set by scripts/gpu-tests: where figures go, and what a machine without network needs.
RESULTS_FILE = "REPROBUILD_GPU_RESULTS"
BUNDLE = "REPROBUILD_GPU_BUNDLE"

NO_GPU = (
    None
    if Path("/dev/nvidiactl").exists() or Path("/dev/dxg").exists()
    else "no NVIDIA device: /dev/nvidiactl is missing"
)


@pytest.fixture(scope="session")
def figures() -> Iterator[dict[str, Any]]:
    """Name -> what was measured; written at the end where that was asked for."""
    today = datetime.now(UTC).date().isoformat()
    found: dict[str, Any] = {"schema": "reprobuild.gpu-results/1", "taken": today}
    yield found
    if file := os.environ.get(RESULTS_FILE):
        Path(file).write_text(json.dumps(found, indent=2, sort_keys=True) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class GpuBuilder:
    """This machine as a builder with a GPU, in a store of its own."""

    world: World
    project: Path
    env: dict[str, str]
    profile: dict[str, Any]

    def json(self, *arguments: str) -> dict[str, Any]:
        return self.world.json(*arguments, cwd=self.project, env=self.env)


@pytest.fixture(scope="session")
def builder(
    world: World,  # noqa: F811
    figures: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> GpuBuilder:
    folder = tmp_path_factory.mktemp("gpu")
    project = folder / "driver-only"
    shutil.copytree(PROJECT, project)
    profile = world.json("builder", "probe", cwd=folder)
    figures["hardware"] = {key: value for key, value in profile.items() if key != "host_name"}
    figures["nix"] = world.run(["nix", "--version"], cwd=folder).stdout.strip()
    # The hook and the lines that `reprobuild builder setup` puts into nix.conf; the machine's own stays as it is.
    world.reprobuild("builder", "setup", "--root", str(folder), "--feature", "cuda", "--yes", cwd=folder)
    hook = folder / "usr/local/libexec/reprobuild-gpu-hook"
    assert hook.read_text().startswith(f"#!{system_python()} ")
    lines = ["build-users-group =", *builder_lines(profile["features"], str(hook))]
    if bundle := os.environ.get(BUNDLE):
        shutil.copy(Path(bundle) / "reprobuild.lock", project)
        with (Path(bundle) / "sources.export").open("rb") as file:
            command = world.command(["nix-store", "--import"])
            subprocess.run(
                command, env=world.environment(), stdin=file, stdout=subprocess.DEVNULL, check=True
            )
    else:
        world.reprobuild("lock", cwd=project)
        world.reprobuild("fetch", cwd=project)
    return GpuBuilder(world, project, {"NIX_CONFIG": "\n".join(lines)}, profile)
