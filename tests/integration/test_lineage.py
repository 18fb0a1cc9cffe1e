"""Lineage over real builds: two projects that share a data file, Nix's closure, and events that validate."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from tests.integration.conftest import REPOSITORY, World, write_sourced
from tests.openlineage_oracle import check_event

from reprobuild.domain.digest import Digest
from reprobuild.domain.drv import DrvFile, parse_drv
from reprobuild.domain.lock import LOCK_FILE

pytestmark = pytest.mark.integration


@pytest.fixture(scope="session")
def world(world: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """With records of its own: other tests build from the same rows, too."""
    return replace(world, variables={"XDG_STATE_HOME": str(tmp_path_factory.mktemp("state"))})


@pytest.fixture(scope="module")
def two(world: World, sourced_lock: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two built projects with the same rows; the first is in a git repository."""
    folder = tmp_path_factory.mktemp("lineage")
    projects = folder / "first", folder / "second"
    for project, lr in zip(projects, ("0.21", "0.22"), strict=True):
        write_sourced(project)
        (project / "reprobuild.lock").write_text(sourced_lock)
        spec = project / "reprobuild.toml"
        spec.write_text(
            spec.read_text().replace('name = "tiny"', f'name = "{project.name}"').replace("0.1234567", lr)
        )
    git(projects[0], "init", "--quiet")
    git(projects[0], "add", ".")
    git(projects[0], "commit", "--quiet", "--message", "first")
    for project in projects:
        world.reprobuild("nix", "build", cwd=project)
    return projects


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=tests", "-c", "user.email=tests@example.org")
    done = subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def closure(world: World, project: Path) -> tuple[dict[str, DrvFile], list[str]]:
    """Derivations in the closure of the model's derivation, and its other files."""
    model = world.drv_paths(project)["model"]
    paths = world.run(["nix-store", "--query", "--requisites", model], cwd=project).stdout.split()
    drvs = {path: parse_drv(world.file(path).read_text()) for path in paths if path.endswith(".drv")}
    return drvs, [path for path in paths if path not in drvs]


def test_the_graph_is_the_closure_of_nix(world: World, two: tuple[Path, Path]) -> None:
    project, _ = two
    document = world.json("show", ".", "--inputs", cwd=project)
    parts = {part["node"]: part for part in document["parts"]}
    drvs, files = closure(world, project)
    fixed = [drv.outputs["out"] for drv in drvs.values() if "outputHash" in drv.environment]
    pinned = [part["store_path"] for part in parts.values() if "store_path" in part]
    assert Counter(fixed) == Counter(pinned), "each fixed-output derivation is one part, and the reverse"

    others = [_node(path, drv) for path, drv in drvs.items() if "outputHash" not in drv.environment]
    made = {node for node, part in parts.items() if part["kind"] == "stage"} | {
        parts["model first 1.0.0"]["kind"]
    }
    wheels = {f"wheel-{one['name']}-{one['version']}" for one in parts.values() if one["kind"] == "wheel"}
    assert sorted(others) == sorted(made | wheels | {"base", "environment"}), "and each other one is one node"
    assert set(document["needs"]) - parts.keys() == {"base", "environment"}
    ours = {"reprobuild-worker", LOCK_FILE, *(one.name for one in (REPOSITORY / "nix/builders").iterdir())}
    names = {path.partition("-")[2] for path in files}
    assert {name for name in names if not name.endswith("-source")} <= ours, (
        "build rules, worker, lock and code"
    )


def _node(path: str, drv: DrvFile) -> str:
    """What a derivation is in our graph."""
    name = path.partition("-")[2].removesuffix(".drv")
    if "reprobuildStage" in drv.environment:
        return f"stage {name.partition('-')[2]}"
    if "reprobuildModel" in drv.environment:
        return "model"
    for word in ("base", "environment"):
        if word in name:
            return word
    return name


def test_events_of_a_real_build(world: World, two: tuple[Path, Path]) -> None:
    first, second = two
    lines = world.reprobuild("lineage", "result", "--openlineage", cwd=first).stdout.splitlines()
    events = [json.loads(line) for line in lines]
    for event in events:
        check_event(event)
    assert [(one["job"]["name"], one["eventType"]) for one in events] == [
        (f"first.{label}", kind) for label in ("train", "evaluate", "model") for kind in ("START", "COMPLETE")
    ]
    ends = {one["job"]["name"]: one for one in events if one["eventType"] == "COMPLETE"}
    info = world.run(["nix-store", "--query", "--hash", ends["first.train"]["outputs"][0]["name"]], cwd=first)
    content = ends["first.train"]["outputs"][0]["facets"]["reprobuild_content"]
    assert info.stdout.strip() == f"sha256:{Digest(content['narHash']).nix32}"
    assert ends["first.evaluate"]["inputs"] == ends["first.train"]["outputs"]
    version = ends["first.train"]["inputs"][0]["facets"]["version"]["datasetVersion"]
    assert version == Digest.of_bytes((first / "rows.csv").read_bytes())
    location = ends["first.train"]["job"]["facets"]["sourceCodeLocation"]
    assert location["version"] == git(first, "rev-parse", "HEAD")
    again = world.json("lineage", "result", "--openlineage", cwd=first)["events"]
    assert again == events
    ids = {
        one["run"]["runId"] for one in world.json("lineage", "result", "--openlineage", cwd=second)["events"]
    }
    assert ids.isdisjoint(one["run"]["runId"] for one in events)


def only(folder: Path, *tools: str) -> Path:
    """A folder with these programs alone."""
    for tool in tools:
        (folder / tool).symlink_to(shutil.which(tool) or tool)
    return folder


def test_why_and_show_take_results_and_records_without_nix(
    world: World, two: tuple[Path, Path], tmp_path: Path
) -> None:
    project, _ = two
    records = Path(world.variables["XDG_STATE_HOME"]) / "reprobuild/records"
    record = max(records.glob("*-first-1.0.0-*.json"))
    wheel = world.json("why", "packaging", cwd=project)
    assert wheel["paths"][0][-2:] == ["environment", wheel["parts"][0]["node"]]
    without_nix = {"PATH": str(only(tmp_path, "sh", "mkdir", "mount", "unshare"))}
    for place in ("result", str(record)):
        for name in (wheel["parts"][0]["sha256"], wheel["parts"][0]["store_path"], "packaging"):
            found = world.json("why", name, "--result", place, cwd=project, env=without_nix)
            assert found["paths"] == wheel["paths"]
        shown = world.json("show", place, "--inputs", cwd=project, env=without_nix)
        stages = [part for part in shown["parts"] if part["kind"] == "stage"]
        assert len(stages) == 2 and all(stage["nar_hash"] for stage in stages)
    world.reprobuild("why", "rows.csv", "--result", "result", cwd=project)
    world.reprobuild("why", "numpy", "--result", "result", cwd=project, status=1)


def test_two_models_of_one_data_file(world: World, two: tuple[Path, Path], tmp_path: Path) -> None:
    first = two[0]
    ids = [world.json("show", cwd=project)["artifact_id"] for project in two]

    hit = world.json("lineage", "rows.csv", "--withdrawn", cwd=first, status=1)
    models = [one["part"]["artifact_id"] for one in hit["flowed_into"] if one["part"]["kind"] == "model"]
    assert sorted(models) == sorted(ids) and hit["made_of"] is None
    told = world.reprobuild("lineage", "rows.csv", "--withdrawn", cwd=first, status=1).stdout
    assert told.startswith("hit: 2 models, ") and all(one in told for one in ids)
    outputs = world.json("nix", "eval", cwd=first)["derivations"]
    assert [one["part"]["store_path"] for one in hit["flowed_into"] if one["model"] == "first 1.0.0"] == [
        outputs["model"]["out_path"],
        outputs["evaluate"]["out_path"],
        outputs["train"]["out_path"],
    ]

    # a file that no project names, by its content alone
    (tmp_path / "found.csv").write_bytes((first / "rows.csv").read_bytes())
    again = world.json("lineage", "found.csv", "--withdrawn", cwd=tmp_path, status=1)
    assert again["flowed_into"] == hit["flowed_into"]

    commit = git(first, "rev-parse", "HEAD")
    of_commit = world.json("lineage", commit[:10], "--down", cwd=tmp_path)
    assert {one["model"] for one in of_commit["flowed_into"]} == {"first 1.0.0"}

    up = world.json("lineage", "result", "--up", cwd=first)["made_of"]
    nodes = {one["part"]["node"]: one["part"] for one in up}
    assert nodes["data rows"]["path"] == "rows.csv" and f"commit {commit}" in nodes
    inputs = world.json("show", "result", "--inputs", cwd=first)["parts"]
    assert nodes.keys() == {part["node"] for part in inputs} - {"model first 1.0.0"}

    world.reprobuild("lineage", "nothing-of-that-name", cwd=first, status=1)
    assert (
        "hit: 0 models"
        in world.reprobuild("lineage", "nothing-of-that-name", "--withdrawn", cwd=first).stdout
    )
