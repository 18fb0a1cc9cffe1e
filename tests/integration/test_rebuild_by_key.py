"""Every key of the spec: what is built again when it changes (row A1)."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.integration.conftest import REPOSITORY, World

pytestmark = pytest.mark.integration

# Every section that can be given; rows.csv and packaging as in conftest's `sourced`.
SPEC = """
schema = "reprobuild.spec/1"

[model]
name = "tiny"
version = "1.0.0"
description = "A model of nothing."
license = "Apache-2.0"
owners = ["tests"]
tags = ["small"]

[model.inputs.row]
dtype = "float32"
shape = ["batch", 2]
description = "what comes in"

[model.outputs.sum]
dtype = "float64"
shape = ["batch", 1]
description = "what goes out"

[base]
# of the base

[python]
requirements = ["packaging"]

[hardware]
system = "x86_64-linux"
accelerator = "nvidia"

[driver]
minimum = "580.65"

[numerics]
seed = 0
threads = 2
deterministic = true
tf32 = false

[datasets.rows]
path = "rows.csv"
source = "tests"
license = "CC0-1.0"
retrieved = "2026-11-20"
description = "two numbers"
owner = "me"

[stages.train]
run = "train.py"
files = ["helper.py"]
data = ["rows"]
gpu = true
params = { lr = 0.1234567, steps = 3 }
outputs = ["numbers.json", "metrics.json"]

[stages.evaluate]
run = "evaluate.py"
needs = ["train"]
outputs = ["metrics.json"]

[metrics.score]
stage = "evaluate"
minimum = 0.5
maximum = 1.0
required = true
tolerance = { absolute = 0.1, relative = 0.2 }
description = "how good"
owner = "me"
reason = "a guess"

[artifact]
files = ["train/numbers.json"]
"""

ALL = frozenset({"train", "evaluate", "model"})
LATER = frozenset({"evaluate", "model"})
MODEL = frozenset({"model"})
NOTHING: frozenset[str] = frozenset()
LOCK = "stale lock"  # refused until the project is locked again
REFUSED = "refused"


@dataclass(frozen=True)
class Case:
    key: str  # as in nix/lib/spec-keys.json: `*` for any name
    old: str
    new: str
    expected: frozenset[str] | str

    def __str__(self) -> str:
        return f"{self.key}: {self.new.splitlines()[-1] if self.new else 'left out'}"


def section(name: str, line: str) -> tuple[str, str]:
    """A section that the spec above does not have."""
    return "[artifact]", f"[{name}]\n{line}\n\n[artifact]"


def more(line: str) -> tuple[str, str]:
    """A key that [base] above does not have."""
    return "# of the base", line


def of_train(line: str) -> tuple[str, str]:
    """Resources of a stage, which the spec above does not state."""
    return "[stages.evaluate]", f"[stages.train.resources]\n{line}\n\n[stages.evaluate]"


FIXED = "tolerance = { absolute = 0.1, relative = 0.2 }"

CASES = [
    Case("schema", "reprobuild.spec/1", "reprobuild.spec/2", REFUSED),
    # the name is part of every stage's: two models never share one by accident
    Case("model.name", 'name = "tiny"', 'name = "small"', ALL),
    Case("model.version", "1.0.0", "1.0.1", MODEL),
    Case("model.description", "A model of nothing", "A model of little", MODEL),
    Case("model.license", "Apache-2.0", "MIT", MODEL),
    Case("model.owners", '["tests"]', '["tests", "others"]', MODEL),
    Case("model.tags", '["small"]', '["smaller"]', MODEL),
    Case("model.task", "[model.inputs.row]", 'task = "tabular-regression"\n\n[model.inputs.row]', MODEL),
    Case("model.inputs.*.dtype", '"float32"', '"float16"', MODEL),
    Case("model.inputs.*.shape", '["batch", 2]', '["batch", 3]', MODEL),
    Case("model.inputs.*.description", "what comes in", "a row", MODEL),
    Case("model.outputs.*.dtype", '"float64"', '"float16"', MODEL),
    Case("model.outputs.*.shape", '["batch", 1]', '["batch"]', MODEL),
    Case("model.outputs.*.description", "what goes out", "a sum", MODEL),
    Case("base.kind", *more('kind = "debian"'), NOTHING),
    Case("base.kind", *more('kind = "nixpkgs"'), REFUSED),
    Case("base.suite", *more('suite = "trixie"'), LOCK),
    Case("base.snapshot", *more('snapshot = "20260101T000000Z"'), LOCK),
    Case("base.packages", *more('packages = ["liblzo2-2"]'), LOCK),
    Case("base.mirrors", *more('mirrors = ["https://mirror.example.org/debian"]'), NOTHING),
    Case("python.requirements", '["packaging"]', '["packaging>20"]', LOCK),
    Case(
        "python.requirements_file",
        '["packaging"]',
        '["packaging"]\nrequirements_file = "requirements.txt"',
        LOCK,
    ),
    Case("cuda.toolkit", *section("cuda", 'toolkit = "13.0"'), LOCK),
    Case("cuda.nvcc", *section("cuda", 'toolkit = "13.0"\nnvcc = true'), LOCK),
    Case("driver.minimum", '"580.65"', '"590.44"', ALL),
    Case("driver.branch", 'minimum = "580.65"', 'minimum = "580.65"\nbranch = "580"', ALL),
    Case("hardware.system", '"x86_64-linux"', '"aarch64-linux"', REFUSED),
    Case("hardware.accelerator", '"nvidia"', '"none"', REFUSED),
    Case("hardware.gpu", "[hardware]", '[hardware]\ngpu = "h100"', ALL),
    Case("hardware.compute_capability", "[hardware]", '[hardware]\ncompute_capability = "9.0"', ALL),
    Case("stages.*.gpu", "gpu = true", "gpu = false", REFUSED),  # an accelerator that no stage uses
    Case("numerics.level", "[numerics]", '[numerics]\nlevel = "exact"', NOTHING),
    Case("numerics.level", "[numerics]", '[numerics]\nlevel = "portable"', LOCK),
    Case("numerics.level", "[numerics]", '[numerics]\nlevel = "tolerant"', ALL),
    Case("numerics.seed", "seed = 0", "seed = 7", ALL),
    Case("numerics.threads", "threads = 2", "threads = 1", ALL),
    Case("numerics.deterministic", "deterministic = true", "deterministic = false", ALL),
    Case("numerics.tf32", "tf32 = false", "tf32 = true", ALL),
    Case("datasets.*.path", '"rows.csv"', '"more.csv"', LOCK),
    Case(
        "datasets.*.url",
        'path = "rows.csv"',
        'url = "https://example.org/rows.csv"\nsha256 = "sha256-SS1epJYFbxpqZZIkEDL6t2TDIVljF5MLT6Dh6Lw7dHA="',
        LOCK,
    ),
    Case(
        "datasets.*.sha256",
        'path = "rows.csv"',
        'path = "rows.csv"\nsha256 = "sha256-SS1epJYFbxpqZZIkEDL6t2TDIVljF5MLT6Dh6Lw7dHA="',
        LOCK,
    ),
    # what is said about data is told with the model; the stages read bytes only
    Case("datasets.*.source", 'source = "tests"', 'source = "others"', MODEL),
    Case("datasets.*.license", "CC0-1.0", "CC-BY-4.0", MODEL),
    Case("datasets.*.retrieved", "2026-11-20", "2026-11-21", MODEL),
    Case("datasets.*.description", "two numbers", "numbers", MODEL),
    Case("datasets.*.owner", 'description = "two numbers"\nowner = "me"', 'owner = "you"', MODEL),
    Case("stages.*.run", '"train.py"', '"train2.py"', ALL),
    Case("stages.*.run", '"evaluate.py"', '"train2.py"', LATER),
    Case("stages.*.files", '["helper.py"]', '["helper.py", "helper2.py"]', ALL),
    Case("stages.*.files", '["helper.py"]', "[]", ALL),
    Case("stages.*.needs", '["train"]', "[]", LATER),
    Case("stages.*.data", '["rows"]', "[]", ALL),
    Case("stages.*.data", 'needs = ["train"]', 'needs = ["train"]\ndata = ["rows"]', LATER),
    Case("stages.*.params", "lr = 0.1234567", "lr = 0.1234568", ALL),
    Case("stages.*.params", "steps = 3", "steps = 4", ALL),
    Case("stages.*.params", "steps = 3", "steps = 3.0", ALL),
    Case("stages.*.params", 'needs = ["train"]', 'needs = ["train"]\nparams = { x = "" }', LATER),
    Case("stages.*.outputs", '"numbers.json", "metrics.json"]', '"numbers.json", "metrics.json", "x"]', ALL),
    Case("stages.*.features", 'run = "train.py"', 'run = "train.py"\nfeatures = ["kvm"]', ALL),
    # limits reach the builder; plans are compared afterwards, and told with the model
    Case("stages.*.resources.cores", *of_train("cores = 2"), ALL),
    Case("stages.*.resources.memory_mib", *of_train("memory_mib = 2048"), ALL),
    Case("stages.*.resources.time_s", *of_train("time_s = 60"), MODEL),
    Case("stages.*.resources.loader_s", *of_train("loader_s = 0.5"), MODEL),
    Case("metrics.*.stage", 'stage = "evaluate"', 'stage = "train"', MODEL),
    Case("metrics.*.minimum", "minimum = 0.5", "minimum = 0.25", MODEL),
    Case("metrics.*.maximum", "maximum = 1.0", "maximum = 2.0", MODEL),
    Case("metrics.*.required", "required = true", "required = false", MODEL),
    Case("metrics.*.tolerance.absolute", "absolute = 0.1", "absolute = 0.2", MODEL),
    Case("metrics.*.tolerance.relative", "relative = 0.2", "relative = 0.3", MODEL),
    Case(
        "metrics.*.tolerance.statistical.runs",
        FIXED,
        "tolerance.statistical = { runs = 10, false_alarm_rate = 0.01 }",
        MODEL,
    ),
    Case(
        "metrics.*.tolerance.statistical.false_alarm_rate",
        FIXED,
        "tolerance.statistical = { runs = 10, false_alarm_rate = 0.05 }",
        MODEL,
    ),
    Case("metrics.*.description", "how good", "how bad", MODEL),
    Case("metrics.*.owner", 'owner = "me"\nreason', 'owner = "you"\nreason', MODEL),
    Case("metrics.*.reason", "a guess", "a good guess", MODEL),
    Case("artifact.files", '["train/numbers.json"]', "[]", MODEL),
]


def keys_of(tree: Any, at: str = "") -> Iterator[str]:
    if tree is True:
        yield at.removesuffix(".")
    else:
        for key, below in tree.items():
            yield from keys_of(below, f"{at}{key}.")


def test_there_is_a_case_for_every_key_of_the_format() -> None:
    """A new key says here what it changes."""
    known = set(keys_of(json.loads((REPOSITORY / "nix/lib/spec-keys.json").read_text())))
    assert {case.key for case in CASES} == known


@dataclass(frozen=True)
class Locked:
    folder: Path
    drv_paths: dict[str, str]


@pytest.fixture(scope="module")
def locked(world: World, sourced_lock: str, tmp_path_factory: pytest.TempPathFactory) -> Locked:
    folder = tmp_path_factory.mktemp("keys") / "project"
    folder.mkdir()
    (folder / "reprobuild.toml").write_text(SPEC)
    (folder / "reprobuild.lock").write_text(sourced_lock)
    for file in ("rows.csv", "more.csv"):
        (folder / file).write_text("a,b\n1,2\n")
    for file in ("train.py", "train2.py", "evaluate.py", "helper.py", "helper2.py", "requirements.txt"):
        (folder / file).write_text("# nothing\n")
    world.reprobuild("lock", cwd=folder)  # an accelerator counts, and brings a tool; the pins stay
    return Locked(folder, world.drv_paths(folder))


@pytest.fixture
def project(locked: Locked, tmp_path: Path) -> Path:
    return shutil.copytree(locked.folder, tmp_path / "elsewhere")


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    assert before.keys() == after.keys()
    return {label for label in before if before[label] != after[label]}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_key_changes_what_depends_on_it_and_nothing_else(
    world: World, locked: Locked, project: Path, case: Case
) -> None:
    assert SPEC.count(case.old) >= 1
    (project / "reprobuild.toml").write_text(SPEC.replace(case.old, case.new, 1))
    if case.expected == LOCK:
        done = world.reprobuild("nix", "eval", cwd=project, status=2)
        section_of_key = case.key.split(".")[0]
        others = {
            "numerics.level": "level in [numerics]",
            "cuda.toolkit": "[python] or [cuda]",
            "cuda.nvcc": "nvcc in [cuda]",
        }
        named = others.get(case.key, f"[{section_of_key}]")
        assert f"reprobuild.lock is stale: {named} has changed" in done.stderr
    elif case.expected == REFUSED:
        done = world.reprobuild("nix", "eval", cwd=project, status=2)
        section_of_key, key = case.key.split(".")[0], case.key.split(".")[-1]
        assert key in done.stderr or f" {section_of_key}:" in done.stderr
    else:
        assert changed(locked.drv_paths, world.drv_paths(project)) == case.expected


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("train.py", ALL),
        ("helper.py", ALL),
        ("evaluate.py", LATER),
        ("helper2.py", NOTHING),  # no stage names it
        ("more.csv", NOTHING),
        ("requirements.txt", NOTHING),
    ],
)
def test_a_file_changes_the_stages_that_declare_it(
    world: World, locked: Locked, project: Path, file: str, expected: frozenset[str]
) -> None:
    (project / file).write_text((project / file).read_text() + "# more\n")
    assert changed(locked.drv_paths, world.drv_paths(project)) == expected


def test_data_that_changes_counts_once_it_is_locked(world: World, locked: Locked, project: Path) -> None:
    (project / "rows.csv").write_text("a,b\n1,3\n")
    assert world.drv_paths(project) == locked.drv_paths  # what is pinned is built
    world.reprobuild("lock", "--check", cwd=project, status=1)
    world.reprobuild("lock", "--update", "rows", cwd=project)
    assert changed(locked.drv_paths, world.drv_paths(project)) == ALL


def test_a_requirements_file_that_changes_makes_the_lock_stale(world: World, project: Path) -> None:
    file = 'requirements = ["packaging"]\nrequirements_file = "requirements.txt"'
    (project / "reprobuild.toml").write_text(SPEC.replace('requirements = ["packaging"]', file))
    world.reprobuild("lock", cwd=project)
    world.drv_paths(project)
    (project / "requirements.txt").write_text("packaging>20\n")
    done = world.reprobuild("nix", "eval", cwd=project, status=2)
    assert "reprobuild.lock is stale: [python] has changed" in done.stderr


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (*more('packages = ["liblzo2-2"]'), {"base", "environment"} | ALL),
        (*more('suite = "trixie"'), {"base", "environment"} | ALL),
        ('["packaging"]', '["packaging", "installer"]', {"environment"} | ALL),
        ('["packaging"]', '["packaging>20"]', {"model"}),  # the same wheel: only spec and lock are others
    ],
)
def test_what_is_locked_anew_changes_what_stands_on_it(
    world: World, locked: Locked, project: Path, old: str, new: str, expected: set[str]
) -> None:
    (project / "reprobuild.toml").write_text(SPEC.replace(old, new, 1))
    world.reprobuild("lock", cwd=project)
    assert changed(locked.drv_paths, world.drv_paths(project)) == expected
