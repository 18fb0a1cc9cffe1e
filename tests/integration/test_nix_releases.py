"""Old and new Nix agree: the same derivations, the same outputs, the same answers.

The releases are those of three Debian suites, unpacked by scripts/nix-release. `scripts/test --nix SUITE` runs all that
uses Nix with one of them.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from tests.integration.conftest import REPOSITORY, World, cannot_build
from tests.integration.hosts import lab

pytestmark = pytest.mark.integration

SUITES = {"bookworm": "2.8", "trixie": "2.26", "testing": "2.34"}  # suite -> release in November 2026


@pytest.fixture(scope="module")
def paths() -> dict[str, str]:
    """Suite → PATH with its Nix in front."""
    found = {}
    for suite in SUITES:
        done = subprocess.run(
            [REPOSITORY / "scripts/nix-release", suite], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            cannot_build(f"scripts/nix-release {suite}: {done.stderr.strip()}")
        found[suite] = f"{done.stdout.strip()}:{os.environ['PATH']}"
    return found


def test_they_are_different_releases(world: World, paths: dict[str, str], tmp_path: Path) -> None:
    said = [
        world.run(["nix-store", "--version"], cwd=tmp_path, env={"PATH": path}).stdout
        for path in paths.values()
    ]
    assert len(set(said)) == len(SUITES), said


def test_all_make_the_same_derivations(world: World, paths: dict[str, str], quickstart: Path) -> None:
    found = [world.drv_paths(quickstart, env={"PATH": path}) for path in paths.values()]
    assert found[0] and all(one == found[0] for one in found)


@pytest.mark.parametrize("suite", SUITES)
def test_each_builds_verifies_and_says_what_failed(
    world: World, paths: dict[str, str], tiny: Path, suite: str
) -> None:
    env = {"PATH": paths[suite]}
    train = tiny / "train.py"
    good = train.read_text()
    train.write_text(f"{good}# with the Nix of {suite}\n")
    built = world.json("nix", "build", cwd=tiny, env=env)
    assert {"train", "evaluate", "model"} <= {*built["built"]} and built["metrics"] == {"score": 0.8765433}
    record = world.json("show", cwd=tiny, env=env)
    assert record["artifact_id"] == built["artifact_id"]
    verdict = world.json("verify", cwd=tiny, env=env)
    assert verdict["ok"] and {stage["verdict"] for stage in verdict["stages"]} == {"same bytes"}
    train.write_text(f"{good}raise ValueError('as {suite} says it')\n")
    failed = world.json("nix", "build", cwd=tiny, env=env, status=100)
    assert any(f"as {suite} says it" in line for line in failed["details"])


@pytest.mark.parametrize("suite", SUITES)
def test_each_finds_what_is_not_deterministic(
    world: World, paths: dict[str, str], tiny: Path, suite: str
) -> None:
    env = {"PATH": paths[suite]}
    train = tiny / "train.py"
    train.write_text(
        f"import uuid\n{train.read_text()}stage.save_json('id.json', str(uuid.uuid4()))\n# {suite}\n"
    )
    spec = tiny / "reprobuild.toml"
    spec.write_text(spec.read_text().replace('["numbers.json"]', '["numbers.json", "id.json"]', 1))
    world.reprobuild("nix", "build", cwd=tiny, env=env)
    verdict = world.json("verify", cwd=tiny, env=env, status=1)
    differing = [stage for stage in verdict["stages"] if stage["verdict"] == "differs"]
    assert [stage["label"] for stage in differing] == ["train"]
    assert differing[0]["comparison"]["files"][0]["path"] == "id.json"


@pytest.mark.parametrize(
    ("here", "there"), [("bookworm", "testing"), ("testing", "bookworm"), ("trixie", "testing")]
)
def test_a_machine_with_another_release_builds_and_agrees(
    world: World,
    paths: dict[str, str],
    tiny: Path,
    tmp_path_factory: pytest.TempPathFactory,
    here: str,
    there: str,
) -> None:
    (tiny / "train.py").write_text((tiny / "train.py").read_text() + f"# from {here} to {there}\n")
    with lab(tmp_path_factory.mktemp("releases") / "lab") as made:
        host = made.host("other")
        host.start_sshd(path=paths[there])
        client, env = made.world(world), {"PATH": paths[here]}
        built = client.json("nix", "build", "--builder", host.uri, cwd=tiny, env=env)
        record = json.loads(Path(built["record"]).read_text())
        assert {one["builder"] for one in record["outputs"]} == {"other"}
        assert client.json("verify", cwd=tiny, env=env)["ok"], "as rebuilt here"
        assert client.json("verify", "--builder", host.uri, cwd=tiny, env=env)["ok"], "as rebuilt there"


@pytest.mark.parametrize("suite", SUITES)
def test_doctor_knows_it(world: World, paths: dict[str, str], tmp_path: Path, suite: str) -> None:
    findings = world.json("doctor", cwd=tmp_path, env={"PATH": paths[suite]})["findings"]
    nix = next(one for one in findings if one["name"] == "nix")
    assert nix["state"] == "ok" and "tried with 2.8, 2.26 and 2.34" in nix["found"]
