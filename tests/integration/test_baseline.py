"""A baseline of a real project: runs with other seeds, built together, read, written, and noticed when stale."""

from __future__ import annotations

import json
import statistics
from pathlib import Path

import pytest
from tests.integration.conftest import World

from reprobuild.domain.digest import Digest

pytestmark = pytest.mark.integration

NOISY = """
import json
import random
from reprobuild_worker import stage

numbers = json.loads((stage.inputs["train"] / "numbers.json").read_text())
stage.save_metrics(score=1 - numbers["lr"] + random.gauss(0, 0.01), seed=numbers["seed"])
"""
TOLERANCE = """minimum = 0.5
tolerance = { statistical = { runs = 4, false_alarm_rate = 0.01 } }
owner = "tests"
reason = "seeds are harmless"
"""


@pytest.fixture
def noisy(tiny: Path) -> Path:
    (tiny / "evaluate.py").write_text(NOISY)
    spec = (tiny / "reprobuild.toml").read_text().replace("minimum = 0.5\n", TOLERANCE)
    spec = spec.replace("[artifact]", '[metrics.seed]\nstage = "evaluate"\nmaximum = 2\n\n[artifact]')
    (tiny / "reprobuild.toml").write_text(spec)
    return tiny


def test_a_baseline_holds_what_other_seeds_measure(world: World, noisy: Path) -> None:
    printed = world.reprobuild("baseline", cwd=noisy)
    assert "reprobuild.baseline.json: written  (4 runs, built " in printed.stderr
    assert "evaluate (seed 3)" in printed.stderr
    text = (noisy / "reprobuild.baseline.json").read_text()
    found = json.loads(text)
    assert text == json.dumps(found, sort_keys=True, indent=2, ensure_ascii=False) + "\n"
    # the goal of the metric seed is missed by two of them, and that is no error
    assert found["metrics"]["seed"]["values"] == {"1": 1.0, "2": 2.0, "3": 3.0, "4": 4.0}
    score = found["metrics"]["score"]
    assert len(set(score["values"].values())) == 4
    assert score["mean"] == pytest.approx(statistics.fmean(score["values"].values()))
    assert score["standard_deviation"] == pytest.approx(statistics.stdev(score["values"].values()))
    for run in found["runs"]:
        drv_paths = world.drv_paths(noisy, "--set", f"numerics.seed={run['seed']}")
        [output] = run["outputs"]
        assert (output["stage"], output["drv_path"]) == ("evaluate", drv_paths["evaluate"])
        measured = json.loads((world.file(output["out_path"]) / "metrics.json").read_text())
        assert measured["score"] == score["values"][str(run["seed"])]
        stored = world.run(["nix-store", "--query", "--hash", output["out_path"]], cwd=noisy).stdout.strip()
        assert stored == f"sha256:{Digest(output['nar_hash']).nix32}"

    # made again it is the same file, from finished runs, also after a clean-up
    world.run(["nix-store", "--gc"], cwd=noisy)
    again = world.reprobuild("baseline", cwd=noisy)
    assert "said this already  (4 runs, nothing to build)" in again.stderr
    assert (noisy / "reprobuild.baseline.json").read_text() == text
    world.reprobuild("fetch", cwd=noisy)

    # one more seed builds one more run; the document is the same with --json
    more = world.json("baseline", "--runs", "5", cwd=noisy)
    assert [run["seed"] for run in more["runs"]] == [1, 2, 3, 4, 5]
    assert more["runs"][:4] == found["runs"]
    assert more == json.loads((noisy / "reprobuild.baseline.json").read_text())


def test_a_failing_run_names_its_stage_and_seed_and_writes_nothing(world: World, noisy: Path) -> None:
    (noisy / "train.py").write_text(
        (noisy / "train.py").read_text() + "\nif stage.seed == 2:\n    raise ValueError('diverged')\n"
    )
    done = world.reprobuild("baseline", "-j", "1", cwd=noisy, status=100)
    assert "stage train (seed 2) failed" in done.stderr
    assert "diverged" in done.stderr
    assert "reprobuild nix shell --stage train --set numerics.seed=2" in done.stderr
    assert not (noisy / "reprobuild.baseline.json").exists()


def test_a_run_that_measures_nothing_is_an_error(world: World, noisy: Path) -> None:
    (noisy / "evaluate.py").write_text(
        NOISY.replace("score=", "**({} if stage.seed == 3 else {'score': 1}), other=")
    )
    done = world.reprobuild("baseline", cwd=noisy, status=2)
    assert "metric score: stage evaluate did not measure it with seed 3" in done.stderr
    assert "no such key" in done.stderr
