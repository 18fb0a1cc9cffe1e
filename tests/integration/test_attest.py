"""Statements about a real build: complete, re-hashed from the store, and checked where nothing but Python is."""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from google.protobuf import json_format
from in_toto_attestation.v1 import statement_pb2
from tests.integration.conftest import REPOSITORY, World, write_sourced
from tests.unit.attestation_examples import PARSERS

from reprobuild.domain.attestation import CYCLONEDX, PREDICATES, PROVENANCE, SCAI, TEST_RESULT
from reprobuild.domain.digest import Digest
from reprobuild.domain.drv import parse_drv
from reprobuild.domain.nar import nar_of_folder
from reprobuild_verify.statement import ARTIFACT

pytestmark = pytest.mark.integration

MODEL = "tiny"


def statements(file: Path) -> dict[str, dict[str, Any]]:
    """Predicate type → statement."""
    found = [json.loads(base64.b64decode(json.loads(line)["payload"])) for line in file.open()]
    return {one["predicateType"]: one for one in found}


def taken_in(world: World, project: Path) -> set[str]:
    """What Nix's own closure of the model's derivation holds that is not built: fixed outputs, and sources."""
    model = world.drv_paths(project)["model"]
    closure = world.run(["nix-store", "--query", "--requisites", model], cwd=project).stdout.split()
    drvs = [parse_drv(world.file(path).read_text()) for path in closure if path.endswith(".drv")]
    fixed = {drv.outputs["out"] for drv in drvs if "outputHash" in drv.environment}
    return fixed | {path for path in closure if not path.endswith(".drv")}


def rehashed(world: World, resource: dict[str, Any]) -> Digest:
    file = world.file(resource["annotations"]["storePath"])
    return nar_of_folder(file).digest if "mediaType" in resource else Digest.of_bytes(file.read_bytes())


def checked_elsewhere(folder: Path) -> subprocess.CompletedProcess[str]:
    """The checker with a Python that has cryptography alone: no Nix, no reprobuild, no site-packages."""
    packages = folder / "packages"
    if not packages.exists():
        shutil.copytree(REPOSITORY / "python/reprobuild_verify", packages / "reprobuild_verify")
        for name in ("cryptography", "cffi", "_cffi_backend", "pycparser"):
            if (found := importlib.util.find_spec(name)) is not None and found.origin is not None:
                origin = Path(found.origin)
                source = origin.parent if origin.name == "__init__.py" else origin
                (packages / source.name).symlink_to(source)
    start = "import sys; sys.path.insert(0, 'packages'); from reprobuild_verify.__main__ import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", start, "copy", "--trust", "trust.toml"],
        cwd=folder,
        env={"PATH": "", "HOME": os.devnull},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def attested(world: World, sourced_lock: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built project after the steps of the how-to page; no test changes it."""
    sourced = write_sourced(tmp_path_factory.mktemp("attested"))
    spec = sourced / "reprobuild.toml"
    spec.write_text(spec.read_text().replace("steps = 3", "steps = 4"))  # built by this test alone
    (sourced / "reprobuild.lock").write_text(sourced_lock)
    desk = replace(world, variables=home(sourced))
    desk.reprobuild("nix", "build", cwd=sourced)
    desk.reprobuild("keys", "new", "release", "--no-passphrase", cwd=sourced)
    verdict = desk.reprobuild("verify", "--json", cwd=sourced)
    (sourced / "verdict.json").write_text(verdict.stdout)
    desk.reprobuild("sign", "result", "--key", "release", cwd=sourced, offline=True)
    desk.reprobuild(
        "attest", "result", "--key", "release", "--verdict", "verdict.json", cwd=sourced, offline=True
    )
    trust = desk.reprobuild("keys", "trust", "--key", "release", "--model", MODEL, "--required", cwd=sourced)
    (sourced / "trust.toml").write_text(trust.stdout)
    desk.reprobuild("verify-signature", "result", "--trust", "trust.toml", cwd=sourced, offline=True)
    return sourced


def home(project: Path) -> dict[str, str]:
    return {"XDG_CONFIG_HOME": str(project / "config")}


def attest(world: World, project: Path, *arguments: str) -> str:
    """Run a command without a network; what it prints."""
    return world.reprobuild(*arguments, cwd=project, env=home(project), offline=True).stdout


def test_the_steps_of_the_page(world: World, attested: Path) -> None:
    (file,) = attested.glob("*.intoto.jsonl")
    said = statements(file)
    assert tuple(said) == (ARTIFACT, *PREDICATES)

    dependencies = said[PROVENANCE]["predicate"]["buildDefinition"]["resolvedDependencies"]
    paths = [one["annotations"]["storePath"] for one in dependencies]
    assert sorted(paths) == sorted(taken_in(world, attested))
    for one in dependencies:
        assert one["digest"]["sha256"] == rehashed(world, one).hex, one
    kinds = {one["annotations"]["kind"] for one in dependencies}
    assert kinds == {"data", "deb", "seed", "source", "tool", "wheel"}

    tested = said[TEST_RESULT]["predicate"]
    assert (tested["result"], tested["failedTests"], tested["warnedTests"]) == ("PASSED", [], [])
    assert {"goal score minimum", "verify same bytes"} <= set(tested["passedTests"])
    (host, *_) = said[SCAI]["predicate"]["attributes"]
    assert host["attribute"] == "HOST" and host["conditions"]["kernel"]
    bom = json.dumps(said[CYCLONEDX]["predicate"])
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(bom) is None
    for kind, one in said.items():
        json_format.ParseDict(one, statement_pb2.Statement())
        if kind in PARSERS:
            json_format.ParseDict(one["predicate"], PARSERS[kind]())

    # the record tells both from this machine's records and by name
    assert str(attested) not in json.dumps(said)
    desk = replace(world, variables=home(attested))
    unsigned = attest(world, attested, "attest", "result", "--unsigned", "--verdict", "verdict.json")
    payloads = [base64.b64decode(json.loads(line)["payload"]).decode() for line in file.open()]
    assert unsigned.splitlines() == payloads[1:]
    without_verdict = desk.reprobuild("attest", "result", "--unsigned", cwd=attested).stdout.splitlines()
    assert len(without_verdict) == len(payloads[1:])


def test_who_has_the_project_says_the_same_elsewhere(world: World, attested: Path, tmp_path: Path) -> None:
    """Another store, where nothing was built: the derivations alone say what went in."""
    (file,) = attested.glob("*.intoto.jsonl")
    payloads = [json.loads(line)["payload"] for line in file.open()]
    (tmp_path / "other").mkdir()
    other = world.fresh_store(tmp_path / "other")
    other.home = tmp_path / "home"  # without records
    copy = shutil.copytree(
        attested, tmp_path / "copy", ignore=shutil.ignore_patterns("result*", ".reprobuild")
    )
    shutil.copytree(world.file(str((attested / "result").readlink())), copy / "result")
    again = ("attest", "result", "--key", "release", "--verdict", "verdict.json")
    shutil.copy(world.json(*again, cwd=attested, env=home(attested))["record"], copy / "record.json")
    other.reprobuild("nix", "eval", cwd=copy)
    other.reprobuild("fetch", cwd=copy)
    other.reprobuild("keys", "new", "audit", "--no-passphrase", cwd=copy, env=home(copy))
    command = ("attest", "result", "--key", "audit", "--record", "record.json", "--verdict", "verdict.json")
    attest(other, copy, *command)
    lines = [json.loads(line) for line in (copy / file.name).open()]
    assert [one["payload"] for one in lines] == payloads
    assert [len(one["signatures"]) for one in lines] == [1, 2, 2, 2, 2]


def test_a_machine_that_has_nothing_else_checks_them(world: World, attested: Path, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    shutil.copytree(world.file(str((attested / "result").readlink())), folder / "copy")
    subprocess.run(["chmod", "-R", "u+w", str(folder)], check=True)
    (file,) = attested.glob("*.intoto.jsonl")
    shutil.copy(file, folder)
    shutil.copy(attested / "trust.toml", folder)
    done = checked_elsewhere(folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("signed by release") == 5

    lines = (folder / file.name).read_text().splitlines(keepends=True)
    (folder / file.name).write_text("".join(lines[:1] + lines[2:]))
    done = checked_elsewhere(folder)
    assert (done.returncode, "predicate-missing" in done.stdout) == (1, True)
    tampered = json.loads(lines[2])
    text = base64.b64decode(tampered["payload"]).replace(b"PASSED", b"WARNED")
    lines[2] = json.dumps({**tampered, "payload": base64.b64encode(text).decode()}) + "\n"
    (folder / file.name).write_text("".join(lines))
    done = checked_elsewhere(folder)
    assert (done.returncode, "signature-wrong" in done.stdout) == (1, True)
