"""The main job on real input: the quickstart's digits, with torch, in the sandbox."""

from __future__ import annotations

import json
import re
from pathlib import Path

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


def test_the_template_of_another_model_family_builds(world: World, tmp_path: Path) -> None:
    project = tmp_path / "forest"
    world.reprobuild("init", str(project), "--template", "scikit-learn", cwd=tmp_path)
    world.reprobuild("lock", cwd=project)
    built = world.json("nix", "build", cwd=project)
    assert world.file(built["outputs"]["model"]).joinpath("weights.safetensors").stat().st_size > 0


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
    assert record["host"]["nix_version"]


def test_another_learning_rate_retrains_and_prepare_is_reused(world: World, quickstart: Path) -> None:
    plan = world.json("plan", "--set", "train.params.lr=0.001", cwd=quickstart)
    assert plan["build"] == ["train", "evaluate", "model"]
    assert plan["fetch"] == []
