"""What garbage collection may take, and what a build does after it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.integration.conftest import World

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A store of these tests' own: nobody else's sources are collected."""
    folder = tmp_path_factory.mktemp("own")
    made = World(folder / "nix", folder / "home")
    (made.nix / "store").mkdir(parents=True)
    made.home.mkdir()
    return made


def with_data(project: Path) -> Path:
    (project / "rows.csv").write_text("a,b\n1,2\n")
    spec = project / "reprobuild.toml"
    dataset = '[datasets.rows]\npath = "rows.csv"\nsource = "tests"\nlicense = "CC0-1.0"\nretrieved = "2026-11-20"\n'
    spec.write_text(spec.read_text().replace("[stages.train]", f'{dataset}\n[stages.train]\ndata = ["rows"]'))
    return project


def collect(world: World, project: Path) -> None:
    done = world.run(["nix-store", "--gc"], cwd=project)
    assert done.returncode == 0, done.stderr


def test_a_missed_goal_keeps_the_training_through_a_collection(own: World, tiny: Path) -> None:
    own.reprobuild("nix", "build", "--set", "metrics.score.minimum=0.99", cwd=tiny, status=100)
    collect(own, tiny)
    assert own.json("nix", "build", cwd=tiny)["built"] == ["model"]


def test_after_a_collection_a_change_fetches_nothing_that_it_does_not_read(own: World, tiny: Path) -> None:
    own.reprobuild("lock", cwd=with_data(tiny))
    own.reprobuild("nix", "build", cwd=tiny)
    collect(own, tiny)
    (tiny / "evaluate.py").write_text((tiny / "evaluate.py").read_text() + "\n# again\n")
    plan = own.json("plan", cwd=tiny)
    assert (plan["build"], plan["fetch"]) == (["evaluate", "model"], [])
    empty_cache = {"XDG_CACHE_HOME": str(tiny.parent / "no-cache")}
    built = own.json("nix", "build", "--offline", cwd=tiny, env=empty_cache)
    assert set(built["built"]) == {"evaluate", "model"}


def test_a_shell_and_a_rebuild_get_their_data_back_after_a_collection(own: World, tiny: Path) -> None:
    own.reprobuild("lock", cwd=with_data(tiny))
    own.reprobuild("nix", "build", cwd=tiny)
    collect(own, tiny)
    code = "from reprobuild_worker import stage; print(stage.data['rows'].read_text())"
    shell = own.reprobuild("nix", "shell", "--stage", "train", "--", "python", "-c", code, cwd=tiny)
    assert shell.stdout == "a,b\n1,2\n\n"
    collect(own, tiny)
    assert own.json("verify", cwd=tiny)["ok"]


def test_a_moved_project_keeps_its_results(own: World, tiny: Path) -> None:
    first = own.json("nix", "build", cwd=tiny)["outputs"]["model"]
    moved = tiny.rename(tiny.with_name("moved"))
    own.reprobuild("nix", "build", cwd=moved)
    collect(own, moved)
    assert own.file(first).exists()


def test_a_collection_takes_a_release_only_when_no_link_leads_to_it(own: World, tiny: Path) -> None:
    first, second = (  # of this test alone: others keep theirs
        own.json("nix", "build", "-o", link, "--set", f"train.params.lr={lr}", cwd=tiny)["outputs"]["model"]
        for link, lr in (("release-1", 0.15), ("release-2", 0.2))
    )
    collect(own, tiny)
    for release in (first, second):
        assert own.json("verify", release, cwd=tiny)["ok"], "whole after the collection"
    (tiny / "release-1").unlink()
    collect(own, tiny)
    assert (own.file(first).exists(), own.file(second).exists()) == (False, True)


def test_a_root_that_is_right_is_not_made_again(own: World, tiny: Path) -> None:
    own.reprobuild("nix", "build", cwd=tiny)
    before = (tiny / "result").lstat().st_mtime_ns
    own.reprobuild("nix", "build", cwd=tiny)
    assert (tiny / "result").lstat().st_mtime_ns == before


def test_outputs_come_from_a_cache_whose_signature_nix_trusts(own: World, tiny: Path, tmp_path: Path) -> None:
    cache, key = tmp_path / "cache", tmp_path / "key"
    config = "build-users-group =\nexperimental-features = nix-command"
    own.run(["nix-store", "--generate-binary-cache-key", "tests-1", str(key), f"{key}.pub"], cwd=tiny)
    model = own.json("nix", "build", cwd=tiny)["outputs"]["model"]
    copy = ["nix", "copy", "--to", f"file://{cache}?secret-key={key}", model]
    done: subprocess.CompletedProcess[str] = own.run(copy, cwd=tiny, env={"NIX_CONFIG": config})
    assert done.returncode == 0, done.stderr
    other = World(tmp_path / "other" / "nix", tmp_path / "other")
    (other.nix / "store").mkdir(parents=True)
    trusting = {"NIX_CONFIG": f"{config}\ntrusted-public-keys = {Path(f'{key}.pub').read_text().strip()}"}
    there = other.json("nix", "build", "--cache", f"file://{cache}", cwd=tiny, env=trusting)
    assert (there["outputs"]["model"], there["built"]) == (model, [])


def test_an_artifact_is_checked_against_its_manifest(own: World, tiny: Path, tmp_path: Path) -> None:
    model = own.json("nix", "build", cwd=tiny)["outputs"]["model"]
    own.reprobuild("verify", model, cwd=tiny)
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", "--no-preserve=mode", str(own.file(model)), str(copy)], check=True)
    (copy / "numbers.json").write_text("{}\n")
    done = own.reprobuild("verify", str(copy), cwd=tiny, status=1)
    assert "changed  numbers.json" in done.stdout
