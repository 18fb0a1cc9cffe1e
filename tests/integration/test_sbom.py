"""The quickstart's bill of materials: valid, the same twice, and exactly the sources in Nix's closure."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from tests.integration.conftest import World

from reprobuild.domain.drv import parse_drv

pytestmark = pytest.mark.integration

ADVISORY = {
    "id": "TEST-1",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "numpy"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}],
        }
    ],
}


def fixed_outputs(world: World, project: Path) -> set[str]:
    """Store paths of all fixed-output derivations that the model is built from."""
    model = world.drv_paths(project)["model"]
    closure = world.run(["nix-store", "--query", "--requisites", model], cwd=project).stdout.split()
    drvs = [parse_drv(world.file(path).read_text()) for path in closure if path.endswith(".drv")]
    return {drv.outputs["out"] for drv in drvs if "outputHash" in drv.environment}


def test_the_quickstart(world: World, quickstart: Path, tmp_path: Path) -> None:
    for version, known in (("1.6", SchemaVersion.V1_6), ("1.7", SchemaVersion.V1_7)):
        once = world.reprobuild("sbom", "--spec-version", version, cwd=quickstart).stdout
        assert JsonStrictValidator(known).validate_str(once) is None
        again = tmp_path / f"{version}.json"
        world.reprobuild(
            "sbom", "result", "--spec-version", version, "--output", str(again), cwd=quickstart, offline=True
        )
        assert again.read_text() == once
    document = json.loads(once)
    paths = {
        one["value"]
        for component in document["components"]
        for one in component["properties"]
        if one["name"] == "reprobuild:store_path"
    }
    assert paths == fixed_outputs(world, quickstart)
    metrics = document["metadata"]["component"]["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    measured = json.loads(
        world.file(str((quickstart / "result").readlink())).joinpath("metrics.json").read_text()
    )
    assert {one["type"]: float(one["value"]) for one in metrics} == measured

    rows = world.json("sbom", "--licences", cwd=quickstart)["licences"]
    licences = {row["component"].split(" ")[1]: row["licence"] for row in rows}
    assert licences["zlib1g"] == "Zlib" and "BSD-3-Clause" in licences["torch"]
    unknown = [row["licence"] == "unknown" for row in rows]
    assert unknown == sorted(unknown, reverse=True) and unknown.count(True) < len(rows) / 2
    world.reprobuild("sbom", "--licences", "--fail-on-unknown", cwd=quickstart, status=1)

    (tmp_path / "advisories").mkdir()
    (tmp_path / "advisories/TEST-1.json").write_text(json.dumps(ADVISORY))
    told = world.reprobuild(
        "sbom", "--advisories", str(tmp_path / "advisories"), cwd=quickstart, status=1, offline=True
    )
    assert "TEST-1  wheel numpy" in told.stderr
    assert [one["id"] for one in json.loads(told.stdout)["vulnerabilities"]] == ["TEST-1"]
