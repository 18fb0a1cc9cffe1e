"""Stages that are not deterministic, each in another way: every one is diagnosed with its class and place."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.integration.conftest import World

from reprobuild.domain.comparison import Origin, StageComparison
from reprobuild.services.compare import compare_trees

pytestmark = pytest.mark.integration

# what stages of this project import: no wheels are needed
HELPERS = '''
import json, os, struct, subprocess, sys, time
from reprobuild_worker import stage

def in_another_process(code):
    """What Python prints when its hash seed is not fixed."""
    environment = {**os.environ, "PYTHONHASHSEED": "random"}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True
    ).stdout

def save_floats(name, values):
    header = {"w": {"dtype": "F64", "shape": [len(values)], "data_offsets": [0, 8 * len(values)]}}
    text = json.dumps(header).encode()
    data = struct.pack(f"<{len(values)}d", *values)
    (stage.out / name).write_bytes(struct.pack("<Q", len(text)) + text + data)

def random_float():
    return int.from_bytes(os.urandom(6), "little") / 2**48

def save_trajectory(*, initial="sha256-a", order="sha256-o", weights="sha256-w", loss=0.5):
    epochs = [
        {"epoch": 1, "sample_order": "sha256-1", "values": {"loss": 0.75}, "weights": "sha256-1"},
        {"epoch": 2, "sample_order": order, "values": {"loss": loss}, "weights": weights},
    ]
    stage.save_json("trajectory.json", {
        "schema": "reprobuild.trajectory/1", "stage": stage.name, "seed": stage.seed,
        "initial_weights": initial, "sample_order": order, "epochs": epochs,
    })
'''


@dataclass(frozen=True)
class Fault:
    """A stage's code, and what must be said of it first."""

    name: str
    outputs: tuple[str, ...]
    code: str
    cause: str
    file: str
    place: str


FAULTS = [
    Fault(
        "time-in-text",
        ("log.txt",),
        """
        import datetime
        now = datetime.datetime.now().isoformat()
        (stage.out / "log.txt").write_text(f"training\\nfinished at {now}\\n")
        """,
        "time stamp", "log.txt", "line 2",
    ),
    Fault(
        "time-as-number",
        ("info.json",),
        'stage.save_json("info.json", {"rows": 3, "run": {"made": time.time()}})',
        "time stamp", "info.json", "key run.made",
    ),
    Fault(
        "time-in-binary",
        ("index.bin",),
        '(stage.out / "index.bin").write_bytes(b"\\0INDEX\\xff\\xfe" + struct.pack("<d", time.time()) + bytes(64))',
        "time stamp", "index.bin", "byte 8",
    ),
    Fault(
        "duration",
        ("info.json",),
        'stage.save_json("info.json", {"rows": 3, "seconds": time.perf_counter()})',
        "time stamp", "info.json", "key seconds",
    ),
    Fault(
        "lines-of-a-set",
        ("words.txt",),
        r"""
        code = "print(*{f'word{n}' for n in range(40)}, sep='\\n')"
        (stage.out / "words.txt").write_text(in_another_process(code))
        """,
        "set or folder order", "words.txt", "line ",
    ),
    Fault(
        "list-of-a-set",
        ("classes.json",),
        """
        words = in_another_process("print(*{f'class{n}' for n in range(40)})").split()
        stage.save_json("classes.json", {"model": {"classes": words}})
        """,
        "set or folder order", "classes.json", "key model.classes",
    ),
    Fault(
        "keys-of-a-set",
        ("vocabulary.json",),
        """
        words = in_another_process("print(*{f'word{n}' for n in range(40)})").split()
        (stage.out / "vocabulary.json").write_text(json.dumps({"ids": {word: len(word) for word in words}}))
        """,
        "key order", "vocabulary.json", "keys of ids",
    ),
    Fault(
        "weights-without-seed",
        ("weights.safetensors",),
        'save_floats("weights.safetensors", [1.0, 2.0, *(random_float() for _ in range(50))])',
        "unseeded random source", "weights.safetensors", "tensor w",
    ),
    Fault(
        "initialisation-without-seed",
        ("weights.safetensors", "trajectory.json"),
        """
        save_floats("weights.safetensors", [random_float() for _ in range(50)])
        save_trajectory(initial=f"sha256-{os.urandom(8).hex()}", weights=f"sha256-{os.urandom(8).hex()}")
        """,
        "unseeded random source", "trajectory.json", "initial weights",
    ),
    Fault(
        "shuffle-without-seed",
        ("weights.safetensors", "trajectory.json"),
        """
        save_floats("weights.safetensors", [random_float() for _ in range(50)])
        save_trajectory(order=f"sha256-{os.urandom(8).hex()}", weights=f"sha256-{os.urandom(8).hex()}")
        """,
        "unseeded random source", "trajectory.json", "epoch 2, sample order",
    ),
    Fault(
        "order-of-sums",
        ("weights.safetensors", "trajectory.json"),
        """
        import random
        terms = [1 / (n + 1) for n in range(500)]
        sums = []
        for _ in range(100):
            random.SystemRandom().shuffle(terms)
            total = 0.0
            for term in terms:
                total += term
            sums.append(total)
        save_floats("weights.safetensors", sums)
        save_trajectory(weights=f"sha256-{os.urandom(8).hex()}", loss=sums[0])
        """,
        "reduction order", "trajectory.json", "epoch 2",
    ),
    Fault(
        "memory-nobody-wrote",
        ("weights.safetensors",),
        """
        left = [struct.unpack("<d", struct.pack("<Q", 0x7F0000000000 + int.from_bytes(os.urandom(4), "little")))[0]]
        save_floats("weights.safetensors", [1.0, 2.0, *left, 3.0])
        """,
        "uninitialised memory", "weights.safetensors", "tensor w",
    ),
    Fault(
        "shuffled-tensor",
        ("rows.safetensors",),
        """
        words = in_another_process("print(*{f'{n}x' for n in range(40)})").split()
        save_floats("rows.safetensors", [float(word[:-1]) for word in words])
        """,
        "set or folder order", "rows.safetensors", "tensor w",
    ),
    Fault(
        "packed-as-zip",
        ("rows.zip",),
        """
        import zipfile
        with zipfile.ZipFile(stage.out / "rows.zip", "w") as file:
            file.writestr("rows.csv", "a,b\\n1,2\\n")
        """,
        "archive metadata", "rows.zip", "zip headers",
    ),
    Fault(
        "packed-as-gzip",
        ("rows.csv.gz",),
        """
        import gzip
        (stage.out / "rows.csv.gz").write_bytes(gzip.compress(b"a,b\\n1,2\\n"))
        """,
        "archive metadata", "rows.csv.gz", "gzip headers",
    ),
    Fault(
        "packed-as-tar",
        ("rows.tar",),
        """
        import io, tarfile
        with tarfile.open(stage.out / "rows.tar", "w") as file:
            entry = tarfile.TarInfo("rows.csv")
            entry.size, entry.mtime = 4, int(time.time())
            file.addfile(entry, io.BytesIO(b"a,b\\n"))
        """,
        "archive metadata", "rows.tar", "tar headers",
    ),
    Fault(
        "build-folder",
        ("log.txt",),
        """
        import tempfile
        (stage.out / "log.txt").write_text(f"cache: {tempfile.mkdtemp()}/cache\\n")
        """,
        "embedded path", "log.txt", "line 1",
    ),
    Fault(
        "process-id",
        ("info.json",),
        """
        for _ in range(int.from_bytes(os.urandom(2), "little") % 1000):
            child = os.fork()
            if child == 0:
                os._exit(0)
            os.waitpid(child, 0)
        child = subprocess.Popen([sys.executable, "-c", ""])
        child.wait()
        stage.save_json("info.json", {"rows": 3, "pid": child.pid})
        """,
        "host name or process id", "info.json", "key pid",
    ),
    Fault(
        "random-id",
        ("run.json",),
        """
        import uuid
        stage.save_json("run.json", {"run": str(uuid.uuid4())})
        """,
        "unseeded random source", "run.json", "key run",
    ),
]  # fmt: skip

SPEC = """
schema = "reprobuild.spec/1"

[model]
name = "tiny"
version = "1.0.0"
description = "Stages that are not deterministic."
license = "Apache-2.0"
owners = ["tests"]
"""


@pytest.fixture(scope="module")
def compared(
    world: World, tiny_lock: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, Any]]:
    """Stage -> its verdict, after one build and one rebuild of all of them."""
    project = tmp_path_factory.mktemp("faults")
    spec = SPEC
    for fault in FAULTS:
        (project / f"{fault.name}.py").write_text(HELPERS + textwrap.dedent(fault.code))
        outputs = ", ".join(f'"{name}"' for name in fault.outputs)
        spec += f'\n[stages.{fault.name}]\nrun = "{fault.name}.py"\noutputs = [{outputs}]\n'
    spec += f'\n[artifact]\nfiles = ["{FAULTS[0].name}/{FAULTS[0].outputs[0]}"]\n'
    (project / "reprobuild.toml").write_text(spec)
    (project / "reprobuild.lock").write_text(tiny_lock)
    world.reprobuild("nix", "build", cwd=project)
    stages = [option for fault in FAULTS for option in ("--stage", fault.name)]
    return {one["label"]: one for one in world.json("verify", *stages, cwd=project, status=1)["stages"]}


def comparison(
    world: World, verdict: dict[str, Any], **origins: Origin
) -> tuple[StageComparison, tuple[Path, Path]]:
    assert verdict["verdict"] == "differs", f"{verdict['label']} was to differ"
    sides = world.file(verdict["out_path"]), world.file(verdict["differing_path"])
    return compare_trees(verdict["label"], *sides, **origins), sides


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_named_with_its_class_and_place(
    world: World, compared: dict[str, dict[str, Any]], fault: Fault
) -> None:
    found, _ = comparison(world, compared[fault.name])
    first = found.causes[0]
    assert (found.label, first.cause, first.file) == (fault.name, fault.cause, fault.file), found.causes
    assert first.place.startswith(fault.place), first
    of_verify = compared[fault.name]["comparison"]["causes"][0]
    assert (of_verify["cause"], of_verify["place"]) == (first.cause, first.place), (
        "verify says something else"
    )
    assert {difference.path for difference in found.files} <= set(fault.outputs)
    StageComparison.model_validate_json(found.model_dump_json(by_alias=True))


def test_rounding_on_two_kinds_of_processors_is_laid_to_their_kernels(
    world: World, compared: dict[str, dict[str, Any]]
) -> None:
    found, _ = comparison(
        world,
        compared["order-of-sums"],
        first_origin=Origin(host={"cpu_model": "Xeon"}),
        second_origin=Origin(host={"cpu_model": "EPYC"}),
    )
    assert found.causes[0].cause == "cpu kernels"
    assert "Xeon and EPYC" in found.causes[0].evidence


def test_an_output_is_equal_to_itself(world: World, compared: dict[str, dict[str, Any]]) -> None:
    _, (first, _) = comparison(world, compared["packed-as-zip"])
    same = compare_trees("packed", first, first)
    assert same.equal
    assert same.causes == ()
