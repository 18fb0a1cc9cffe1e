"""The main job on real input: the quickstart's digits, with torch, in the sandbox."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.integration.conftest import World

pytestmark = pytest.mark.integration


def test_the_artifact_holds_model_metrics_card_manifest_sources_spec_and_lock(
    world: World, quickstart: Path
) -> None:
    built = world.json("nix", "build", cwd=quickstart)
    artifact = world.file(built["outputs"]["model"])
    assert {entry.name for entry in artifact.iterdir()} == {
        "README.md",
        "golden.safetensors",
        "hardware.json",
        "manifest.json",
        "metrics.json",
        "reprobuild.lock",
        "source",
        "spec.json",
        "trajectory.json",
        "weights.safetensors",
    }
    assert re.fullmatch(r"digits-1\.0\.0-[a-z2-7]{12}", built["artifact_id"])
    assert built["metrics"]["accuracy"] >= 0.97


# What somebody does who has the artifact, torch and safetensors, and nothing of ours.
ELSEWHERE = """
import sys
from pathlib import Path

artifact, scratch = Path(sys.argv[1]), Path(sys.argv[2])
sys.path.insert(0, str(artifact / "source"))

import torch
from model import DigitNet
from safetensors.torch import load_file, save_file

assert not any("reprobuild" in name for name in sys.modules)
weights = load_file(artifact / "weights.safetensors")
save_file(weights, scratch / "again.safetensors", metadata={"format": "pt"})
assert (scratch / "again.safetensors").read_bytes() == (artifact / "weights.safetensors").read_bytes()
model = DigitNet()
model.load_state_dict(weights)
model.eval()
golden = load_file(artifact / "golden.safetensors")
with torch.inference_mode():
    torch.testing.assert_close(model(golden["input.image"]), golden["output.scores"])
print("close")
"""


def test_the_model_loads_and_answers_without_our_code_and_is_saved_as_the_same_bytes(
    world: World, quickstart: Path, tmp_path: Path
) -> None:
    model = world.json("nix", "build", cwd=quickstart)["outputs"]["model"]
    environment = world.json("nix", "eval", cwd=quickstart)["derivations"]["environment"]["out_path"]
    command = [f"{environment}/bin/python", "-I", "-c", ELSEWHERE, model, str(tmp_path)]
    done = world.run(command, cwd=tmp_path, env={"PYTHONDONTWRITEBYTECODE": "1"})
    assert (done.returncode, done.stdout) == (0, "close\n"), done.stderr


@pytest.mark.parametrize(("suite", "python"), [("bookworm", "3.11"), ("trixie", "3.13")])
def test_the_template_of_another_model_family_builds_on_both_bases(
    world: World, tmp_path: Path, suite: str, python: str
) -> None:
    project = tmp_path / "forest"
    world.reprobuild("init", str(project), "--template", "scikit-learn", cwd=tmp_path)
    spec = project / "reprobuild.toml"
    assert 'suite = "bookworm"' in spec.read_text()
    spec.write_text(spec.read_text().replace('suite = "bookworm"', f'suite = "{suite}"'))
    world.reprobuild("lock", cwd=project)
    built = world.json("nix", "build", cwd=project)
    assert built["metrics"]["accuracy"] >= 0.95
    artifact = world.file(built["outputs"]["model"])
    assert (artifact / "weights.safetensors").stat().st_size > 0
    pinned = json.loads((artifact / "reprobuild.lock").read_text())["systems"]["x86_64-linux"]
    assert (pinned["suite"], pinned["python_version"]) == (suite, python)


def test_ten_of_ten_rebuilds_have_the_same_bytes(world: World, quickstart: Path) -> None:
    verdict = world.json("verify", "--rounds", "10", cwd=quickstart)
    assert {s["label"]: s["equal"] for s in verdict["stages"]} == dict.fromkeys(
        ["prepare", "train", "evaluate", "model"], 10
    )


def test_building_again_does_nothing_and_gives_the_same_path(world: World, quickstart: Path) -> None:
    first = world.json("nix", "build", cwd=quickstart)
    second = world.json("nix", "build", cwd=quickstart)
    assert second["built"] == []
    assert second["outputs"] == first["outputs"]


def test_the_record_says_what_each_stage_took(world: World, quickstart: Path) -> None:
    records = sorted((world.home / ".local/state/reprobuild/records").glob("*-digits-*.json"))
    record = json.loads(records[0].read_text())
    train = next(output for output in record["outputs"] if output["label"] == "train")
    assert train["status"] == "built"
    assert train["cpu_s"] > 0.5
    assert train["peak_memory_bytes"] > 50_000_000
    assert re.fullmatch(r"[0-9a-f]{64}", train["log_digest"])
    assert train["nar_hash"].startswith("sha256-")
    assert train["numerics"]["threads"] == 2 and train["numerics"]["cpu_capability"]
    assert record["host"]["nix_version"]


def test_another_learning_rate_retrains_and_prepare_is_reused(world: World, quickstart: Path) -> None:
    plan = world.json("plan", "--set", "train.params.lr=0.001", cwd=quickstart)
    assert plan["build"] == ["train", "evaluate", "model"]
    assert plan["fetch"] == []


def test_initial_weights_and_sample_order_depend_on_the_seed_and_not_on_the_learning_rate(
    world: World, quickstart: Path
) -> None:
    def trajectory(*options: str) -> dict[str, Any]:
        short = ["--stage", "train", "--no-link", "--set", "train.params.epochs=1"]
        built = world.json("nix", "build", *short, *options, cwd=quickstart)
        found: dict[str, Any] = json.loads(
            (world.file(built["outputs"]["train"]) / "trajectory.json").read_text()
        )
        return found

    usual = trajectory()
    faster = trajectory("--set", "train.params.lr=0.01")
    seeded = trajectory("--set", "numerics.seed=1")
    for key in ("initial_weights", "sample_order"):
        assert usual[key].startswith("sha256-")
        assert faster[key] == usual[key]
        assert seeded[key] != usual[key]
    weights = {one["epochs"][-1]["weights"] for one in (usual, faster, seeded)}
    assert len(weights) == 3
    assert usual["initial_weights"] not in weights
