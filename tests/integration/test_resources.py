"""Limits are kept in real builds; what takes more than planned is said, and changes no stage."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.integration.conftest import World

pytestmark = pytest.mark.integration


@pytest.fixture
def project(tiny: Path) -> Path:
    """The tiny project with a training that no other test has built."""
    (tiny / "train.py").write_text((tiny / "train.py").read_text() + f"# {tiny}\n")
    return tiny


def state(project: Path, *lines: str, more: str = "") -> None:
    """Write resources of `train`, and code at its end."""
    spec = project / "reprobuild.toml"
    section = "\n".join(["[stages.train.resources]", *lines, "", "[stages.evaluate]"])
    spec.write_text(spec.read_text().replace("[stages.evaluate]", section))
    (project / "train.py").write_text((project / "train.py").read_text() + more)


def test_a_stage_over_its_memory_limit_fails_and_names_limit_and_key(world: World, project: Path) -> None:
    state(project, "memory_mib = 64", more="held = bytearray(256 * 2**20)\n")
    done = world.reprobuild("nix", "build", cwd=project, status=100)
    assert "error: tiny 1.0.0: stage train failed\n" in done.stderr
    assert re.search(
        r"  \| error: stage train reached its memory limit\n"
        r"  \|   expected at most 64 MiB allocated  reprobuild.toml, stages.train.resources.memory_mib\n"
        r"  \|   actual   MemoryError: .*\n"
        r"  \| hint: raise stages.train.resources.memory_mib, or hold less at a time\n",
        done.stderr,
    ), done.stderr


def test_a_stage_over_its_time_warns_with_both_numbers(world: World, project: Path) -> None:
    state(project, "time_s = 0.25", more="import time\ntime.sleep(1)\n")
    done = world.reprobuild("nix", "build", cwd=project)
    assert re.search(
        r"warning: stage train: \d+% above its plan\n"
        r"  planned  0\.25 s  reprobuild\.toml, stages\.train\.resources\.time_s\n"
        r"  measured [\d.]+ s\n",
        done.stderr,
    ), done.stderr


def test_the_warning_is_in_json_and_in_the_record(world: World, project: Path) -> None:
    state(project, "time_s = 0.25", "memory_mib = 4096", more="import time\ntime.sleep(1)\n")
    built = world.json("nix", "build", cwd=project)
    overrun = next(one for one in built["off_plan"] if one["key"] == "time_s")
    assert (overrun["stage"], overrun["key"], overrun["planned"]) == ("train", "time_s", 0.25)
    assert 1 <= overrun["measured"] < 60
    record = json.loads(Path(built["record"]).read_text())
    train = next(one for one in record["outputs"] if one["label"] == "train")
    assert {"stage": "train", **train["off_plan"][1]} == overrun
    low = {"stage": "train", **train["off_plan"][0]}  # far less memory than planned
    assert low in built["off_plan"] and low["key"] == "memory_mib" and low["measured"] < 4096
    assert world.json("nix", "build", cwd=project)["off_plan"] == []  # nothing was built


def test_limits_change_no_bit_of_the_output(world: World, project: Path) -> None:
    spec = project / "reprobuild.toml"
    spec.write_text(spec.read_text() + "\n[numerics]\nthreads = 1\n")
    files = []
    for lines in ([], ["cores = 1", "memory_mib = 256"]):
        if lines:
            state(project, *lines)
        built = world.json("nix", "build", "--stage", "train", "--no-link", cwd=project)
        files.append({one.name: one.read_bytes() for one in world.file(built["outputs"]["train"]).iterdir()})
    assert files[0] == files[1] and files[0]
    assert world.json("verify", cwd=project)["ok"]


def test_limits_change_no_bit_of_a_training_with_torch(world: World, quickstart: Path) -> None:
    def trained(*limits: str) -> bytes:
        options = [word for limit in limits for word in ("--set", f"train.resources.{limit}")]
        short = ["--stage", "train", "--no-link", "--set", "train.params.epochs=1"]
        built = world.json("nix", "build", *short, *options, cwd=quickstart)
        assert not limits or "train" in built["built"]
        return (world.file(built["outputs"]["train"]) / "weights.safetensors").read_bytes()

    assert trained("cores=2", "memory_mib=512") == trained()


def test_fewer_cores_than_threads_are_refused(world: World, project: Path) -> None:
    state(project, "cores = 1")
    done = world.reprobuild("nix", "eval", cwd=project, status=2)
    assert "stages.train.resources.cores: fewer cores than threads" in done.stderr
    assert re.search(r"expected at least 2 +numerics\.threads\n  actual   1", done.stderr), done.stderr
