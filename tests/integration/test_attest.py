"""Statements about a real build: complete, re-hashed from the store, read by other tools, and checked without Nix."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from tests.integration.conftest import World

from reprobuild.domain.digest import Digest
from reprobuild.domain.drv import parse_drv
from reprobuild.domain.nar import nar_of_folder

pytestmark = pytest.mark.integration


def payloads(statements: Path) -> dict[str, Any]:
    """Predicate type → statement."""
    found = [json.loads(base64.b64decode(json.loads(line)["payload"])) for line in statements.open()]
    return {one["predicateType"]: one for one in found}


def taken_in(world: World, project: Path) -> set[str]:
    """What Nix's closure of the model's derivation holds that is not built: fixed outputs, and sources."""
    model = world.drv_paths(project)["model"]
    closure = world.run(["nix-store", "--query", "--requisites", model], cwd=project).stdout.split()
    drvs = [parse_drv(world.file(path).read_text()) for path in closure if path.endswith(".drv")]
    fixed = {drv.outputs["out"] for drv in drvs if "outputHash" in drv.environment}
    return fixed | {path for path in closure if not path.endswith(".drv")}


def rehashed(world: World, resource: dict[str, Any]) -> Digest:
    file = world.file(resource["annotations"]["storePath"])
    return nar_of_folder(file).digest if "mediaType" in resource else Digest.of_bytes(file.read_bytes())


def test_a_build_is_attested_and_checked(world: World, sourced: Path, tmp_path: Path) -> None:
    world.reprobuild("nix", "build", cwd=sourced)
    verdict = world.reprobuild("verify", "--json", cwd=sourced).stdout
    (sourced / "verdict.json").write_text(verdict)
    home = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    for name in ("release", "audit"):
        world.reprobuild("keys", "new", name, "--no-passphrase", cwd=sourced, env=home)
    world.reprobuild("sign", "--key", "release", cwd=sourced, env=home)
    attest = ("attest", "--key", "release", "--key", "audit", "--verdict", "verdict.json")
    world.reprobuild(*attest, cwd=sourced, env=home, offline=True)
    (statements,) = sourced.glob("*.intoto.jsonl")
    once = [json.loads(line)["payload"] for line in statements.open()]
    world.reprobuild(*attest, cwd=sourced, env=home, offline=True)
    assert [
        json.loads(line)["payload"] for line in statements.open()
    ] == once  # the same statements, signed anew
    said = payloads(statements)
    dependencies = said["https://slsa.dev/provenance/v1"]["predicate"]["buildDefinition"][
        "resolvedDependencies"
    ]
    paths = [one["annotations"]["storePath"] for one in dependencies]
    assert sorted(paths) == sorted(taken_in(world, sourced))
    for one in dependencies:
        assert one["digest"]["sha256"] == rehashed(world, one).hex, one
