"""Rebuild or compare, level by level, with real Nix."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.integration.conftest import World

pytestmark = pytest.mark.integration

NOISY = """
import os
from reprobuild_worker import stage

noise = int.from_bytes(os.urandom(4), "little") / 2**32 / 1000
stage.save_json("numbers.json", {"lr": 0.1 + noise, "seed": stage.seed})
"""


def levels(verdict: dict[str, Any]) -> dict[str, bool | None]:
    return {one["level"].removeprefix("same "): one["holds"] for one in verdict["levels"]}


def verdicts(verdict: dict[str, Any]) -> dict[str, str]:
    return {stage["label"]: stage["verdict"] for stage in verdict["stages"]}


def with_tolerance(project: Path, absolute: float) -> Path:
    spec = project / "reprobuild.toml"
    tolerance = (
        f'stage = "evaluate"\ntolerance = {{ absolute = {absolute} }}\nowner = "tests"\nreason = "a test"\n'
    )
    spec.write_text(spec.read_text().replace('stage = "evaluate"\n', tolerance))
    return project


@pytest.fixture
def noisy(tiny: Path) -> Path:
    (tiny / "train.py").write_text(NOISY)
    return tiny


def test_a_project_that_was_never_built_is_built_and_rebuilt(world: World, tiny: Path) -> None:
    (tiny / "train.py").write_text((tiny / "train.py").read_text() + "\n# never built before\n")
    verdict = world.json("verify", cwd=tiny)
    assert verdict["ok"] and set(levels(verdict).values()) == {True}
    assert {stage["first_build"] for stage in verdict["stages"]} == {"now"} | {
        stage["first_build"] for stage in verdict["stages"] if stage["label"] != "train"
    }


def test_what_was_collected_is_compared_with_its_record(world: World, tiny: Path) -> None:
    (tiny / "train.py").write_text((tiny / "train.py").read_text() + "\n# collected\n")
    found = world.json("nix", "build", "--no-link", cwd=tiny)["outputs"]["model"]
    for root in (tiny / ".reprobuild" / "roots").iterdir():
        root.unlink()
    outputs = world.json("nix", "eval", cwd=tiny)["derivations"]
    gone = [outputs[label]["out_path"] for label in ("train", "evaluate", "model")]
    assert found in gone
    done = world.run(["nix-store", "--delete", *gone], cwd=tiny)
    assert done.returncode == 0, done.stderr
    verdict = world.json("verify", cwd=tiny)
    assert verdict["ok"]
    assert {s["label"]: (s["first_build"], s["rounds"]) for s in verdict["stages"]} == dict.fromkeys(
        ("train", "evaluate", "model"), ("record", 1)
    )


def test_other_numbers_are_carried_on_to_the_metric_and_judged_by_its_tolerance(
    world: World, noisy: Path
) -> None:
    with_tolerance(noisy, 0.01)
    world.reprobuild("nix", "build", cwd=noisy)
    verdict = world.json("verify", cwd=noisy, status=1)
    assert verdicts(verdict) == {"train": "differs", "evaluate": "same bytes", "model": "same bytes"}
    assert levels(verdict) == {"inputs": True, "bytes": False, "weights": None, "behaviour": True}
    assert verdict["demanded"] == "same bytes"
    (score,) = verdict["metrics"]
    assert score["verdict"] == "within tolerance" and score["value"] != score["reference"]
    (carried,) = verdict["carried"]
    assert carried["label"] == "evaluate" and not carried["equal"]
    train = verdict["stages"][0]["comparison"]
    assert train["documents"][0]["key_path"] == "lr"

    text = world.reprobuild("verify", "--level", "behaviour", cwd=noisy).stdout
    assert "cause" in text and text.endswith("verdict: same behaviour\n")


def test_a_shift_beyond_the_tolerance_is_another_behaviour(world: World, noisy: Path) -> None:
    with_tolerance(noisy, 1e-12)
    world.reprobuild("nix", "build", cwd=noisy)
    verdict = world.json("verify", "--level", "behaviour", cwd=noisy, status=1)
    assert levels(verdict)["behaviour"] is False and not verdict["ok"]


STATISTICAL = """stage = "evaluate"
tolerance = { statistical = { runs = 6, false_alarm_rate = 0.001 } }
owner = "tests"
reason = "the noise is the seed's"
"""


def test_a_statistical_tolerance_is_judged_by_the_baseline(world: World, noisy: Path) -> None:
    spec = noisy / "reprobuild.toml"
    spec.write_text(spec.read_text().replace('stage = "evaluate"\n', STATISTICAL))
    world.reprobuild("nix", "build", cwd=noisy)
    without = world.json("verify", "--level", "behaviour", cwd=noisy, status=1)
    assert without["metrics"][0]["verdict"] == "not judged" and levels(without)["behaviour"] is None
    assert "reprobuild baseline" in without["metrics"][0]["explanation"]

    world.reprobuild("baseline", cwd=noisy)
    judged = world.json("verify", "--level", "behaviour", cwd=noisy)
    (score,) = judged["metrics"]
    assert (score["verdict"], score["cause"], len(score["references"])) == ("within tolerance", "noise", 6)

    against = ["verify", "--against", "reprobuild.baseline.json", "--level", "behaviour"]
    assert levels(world.json(*against, cwd=noisy)) == {
        "inputs": None,
        "bytes": None,
        "weights": None,
        "behaviour": True,
    }
    (noisy / "train.py").write_text(NOISY.replace("0.1 + noise", "0.3 + noise"))
    changed = world.json(*against, cwd=noisy, status=1)
    assert (changed["metrics"][0]["verdict"], changed["metrics"][0]["cause"]) == (
        "outside tolerance",
        "change",
    )


def test_a_rebuild_that_crashes_is_told_and_the_others_are_judged(world: World, tiny: Path) -> None:
    (tiny / "evaluate.py").write_text((tiny / "evaluate.py").read_text() + "\nraise SystemExit('no luck')\n")
    verdict = world.json("verify", cwd=tiny, status=1)
    assert verdicts(verdict) == {"train": "same bytes", "evaluate": "failed", "model": "failed"}
    assert "no luck" in verdict["stages"][1]["reason"]
    assert levels(verdict)["bytes"] is None


def test_against_a_result_a_record_and_a_revision(world: World, tiny: Path, tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        who = ["-c", "user.name=tests", "-c", "user.email=tests@example.org"]
        subprocess.run(["git", "-C", str(tiny), *who, *arguments], check=True, capture_output=True)

    (tiny / "train.py").write_text((tiny / "train.py").read_text() + "\n# its own record\n")
    git("init", "--quiet")
    git("add", "reprobuild.toml", "reprobuild.lock", "train.py", "evaluate.py")
    git("commit", "--quiet", "-m", "first")
    first = world.json("nix", "build", cwd=tiny)
    for other in ("HEAD", first["record"], first["outputs"]["model"]):
        same = world.json("verify", "--against", other, cwd=tiny)
        assert same["ok"] and levels(same)["bytes"] is True and levels(same)["inputs"] is True

    spec = tiny / "reprobuild.toml"
    spec.write_text(spec.read_text().replace("lr = 0.1234567", "lr = 0.2"))
    for other in ("HEAD", first["record"], first["outputs"]["model"]):
        changed = world.json("verify", "--against", other, cwd=tiny, status=1)
        assert levels(changed) == {"inputs": False, "bytes": False, "weights": None, "behaviour": False}
        assert changed["metrics"][0]["references"] == [1 - 0.1234567]

    model = world.json("nix", "build", cwd=tiny)["outputs"]["model"]
    results = world.json("verify", model, "--against", first["outputs"]["model"], cwd=tmp_path, status=1)
    assert levels(results)["bytes"] is False and list(verdicts(results)) == ["model"]

    wrong = world.json("verify", "--against", "no-such-thing", cwd=tiny, status=2)
    assert wrong["slug"] == "usage" and "no-such-thing" in json.dumps(wrong)


def test_the_page_says_what_the_text_says(world: World, noisy: Path, tmp_path: Path) -> None:
    world.reprobuild("nix", "build", cwd=noisy)
    page = tmp_path / "verdict.html"
    world.reprobuild("verify", "--html", str(page), cwd=noisy, status=1)
    html = page.read_text()
    assert "not the same bytes" in html and "numbers.json" in html and "where it differs" in html
    assert "<script" not in html and "http" not in html
