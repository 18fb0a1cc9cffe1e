"""`reprobuild nix diff` with real Nix: planted changes are named, with the derivation behind each."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from .conftest import World

pytestmark = pytest.mark.integration

FUNCTION = "\n\ndef scale(x):\n    return x * {factor}\n"


@pytest.fixture
def pair(sourced: Path, tmp_path: Path, world: World) -> tuple[Path, Path]:
    """Two projects that differ in a parameter, a wheel's version, a data row and a function."""
    train = (sourced / "train.py").read_text()
    (sourced / "train.py").write_text(train + FUNCTION.format(factor=1))
    other = tmp_path / "other"
    other.mkdir()
    spec = (sourced / "reprobuild.toml").read_text()
    assert "lr = 0.1234567" in spec and '["packaging"]' in spec
    spec = spec.replace("lr = 0.1234567", "lr = 0.25").replace('["packaging"]', '["packaging<25"]')
    (other / "reprobuild.toml").write_text(spec)
    (other / "train.py").write_text(train + FUNCTION.format(factor=2))
    (other / "evaluate.py").write_text((sourced / "evaluate.py").read_text())
    (other / "rows.csv").write_text("a,b\n1,3\n")
    world.reprobuild("lock", cwd=other)
    return sourced, other


def diff(world: World, first: Path | str, second: Path | str, cwd: Path, status: int = 1) -> dict[str, Any]:
    return world.json("nix", "diff", str(first), str(second), cwd=cwd, status=status)


def test_four_planted_changes_are_named_in_three_layers(
    world: World, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    first, second = pair
    found = diff(world, first, second, tmp_path)
    meaning = found["meaning"]
    assert [(one["name"], one["first"], one["second"]) for one in meaning["parameters"]] == [
        ("stages.train.params.lr", 0.1234567, 0.25)
    ]
    (data,) = meaning["data"]
    assert data["name"] == "rows" and data["rows"]["changed"] == 1
    assert data["rows"]["examples"][0] | {"first": "1,2", "second": "1,3"} == data["rows"]["examples"][0]
    assert meaning["code"] == [
        {
            "file": "train.py",
            "state": "changed",
            "functions": [{"name": "scale", "state": "changed"}],
            "layout_only": False,
        }
    ]
    changed = {(one["kind"], one["name"]) for one in found["closure"]["packages"]}
    assert changed == {("wheel", "packaging"), ("data", "rows")}
    origins = {tuple(one["path"]): one["own"] for one in found["cause"] if one["own"]}
    train = next(own for path, own in origins.items() if path[-1] == "tiny-train")
    assert {change["name"] for change in train} == {"reprobuildStage.params.lr", "file tiny-train-source"}
    lr = next(change for change in train if change["name"].endswith("lr"))
    assert (lr["first"], lr["second"]) == (0.1234567, 0.25)
    assert any("packaging" in path[-1] for path in origins) and any(
        "rows.csv" in path[-1] for path in origins
    )
    assert [one["path"] for one in found["cause"]].index(["model"]) == len(origins) - 1, "the echo comes last"


def test_built_ones_show_metrics_and_records_results_and_projects_agree(
    world: World, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    first, second = pair
    records = [Path(world.json("nix", "build", cwd=one)["record"]) for one in pair]
    for sides in ((first, second), (first / "result", second / "result"), records):
        found = diff(world, *sides, cwd=tmp_path)
        (metric,) = found["meaning"]["metrics"]
        assert metric["name"] == "score" and metric["delta"] == pytest.approx(0.1234567 - 0.25)
        assert found["cause"] and found["closure"]["packages"] and not found["not_compared"]
    world.json("baseline", "--runs", "2", cwd=first)
    (metric,) = world.json("nix", "diff", str(first), str(second), cwd=first, status=1)["meaning"]["metrics"]
    assert metric["interval"] == {"low": metric["delta"], "high": metric["delta"], "runs": 2}, (
        "no seed matters"
    )
    outputs = [world.json("nix", "eval", cwd=one)["derivations"]["train"]["out_path"] for one in pair]
    found = diff(world, *outputs, cwd=tmp_path)
    assert [one["name"] for one in found["closure"]["packages"]] == ["tiny-train"]
    assert found["cause"][0]["path"] == ["output"]
    for same in (first / "result", records[0]):
        assert diff(world, first, same, tmp_path, status=0)["same"]


def test_a_revision_a_lock_and_store_paths(world: World, tiny: Path, tmp_path: Path) -> None:
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-C", str(tiny)]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-qm", "one"], check=True)
    assert diff(world, "HEAD", ".", tiny, status=0)["same"]
    (tiny / "evaluate.py").write_text((tiny / "evaluate.py").read_text() + "# a remark\n")
    found = diff(world, "HEAD", ".", tiny)
    assert found["meaning"]["code"] == [
        {"file": "evaluate.py", "state": "changed", "functions": [], "layout_only": True}
    ]
    assert next(one["path"] for one in found["cause"] if one["own"]) == ["model", "tiny-evaluate"]
    assert diff(world, "reprobuild.lock", ".", tiny, status=0)["same"]
    one, other = (world.drv_paths(tiny, "--set", f"train.params.lr={lr}")["train"] for lr in ("0.2", "0.3"))
    found = diff(world, one, other, tiny)
    assert [change["name"] for change in found["cause"][0]["own"]] == ["reprobuildStage.params.lr"]
    refused = world.json("nix", "diff", one, "reprobuild.lock", cwd=tiny, status=2)
    assert "nothing in common" in refused["message"]
