"""Is torch set up in a real stage as `[numerics]` says, and do weights have one digest however they are held?

torch is not among the development packages: a stage in the quickstart's environment looks.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.integration.conftest import World

from reprobuild_worker.digest import digest_safetensors

pytestmark = pytest.mark.integration

# Two stages of the same code: two runs.
STAGES = """
[stages.probe]
run = "probe.py"
outputs = ["facts.json", "weights.safetensors"]

[stages.again]
run = "probe.py"
outputs = ["facts.json", "weights.safetensors"]
"""
PROBE = """
import random

import numpy as np
import torch

from reprobuild_worker import stage
from reprobuild_worker.digest import digest_safetensors, digest_state


def refused():
    try:
        torch.zeros(3).put_(torch.tensor([0, 0]), torch.tensor([1.0, 2.0]))  # which of the two wins?
    except RuntimeError as error:
        return str(error).splitlines()[0]
    return None


facts = {
    "deterministic": torch.are_deterministic_algorithms_enabled(),
    "warn_only": torch.is_deterministic_algorithms_warn_only_enabled(),
    "fill": torch.utils.deterministic.fill_uninitialized_memory,
    "threads": torch.get_num_threads(),
    "interop_threads": torch.get_num_interop_threads(),
    "cudnn_benchmark": torch.backends.cudnn.benchmark,
    "cudnn_deterministic": torch.backends.cudnn.deterministic,
    "tf32": [torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32],
    "refused": refused(),
}
draws = {
    "python": [random.random() for _ in range(3)],
    "numpy": np.random.rand(3).tolist(),
    "torch": torch.rand(3, dtype=torch.float64).tolist(),
    "layer": torch.nn.Linear(3, 1).weight.detach().double().flatten().tolist(),
    "stage_python": stage.python_rng("x").random(),
    "stage_numpy": stage.numpy_rng("x").random(),
    "stage_torch": torch.rand(1, generator=stage.generator("x"), dtype=torch.float64).item(),
}



class Rows(torch.utils.data.Dataset):
    # Ten rows, as they are or with noise that the loading process draws.

    def __init__(self, noise):
        self.noise = noise

    def __len__(self):
        return 10

    def __getitem__(self, index):
        return torch.full((3,), float(index)) + (torch.rand(3) if self.noise else 0)


def trained(workers, noise):
    # Weights after an epoch over a loader with so many processes.
    torch.manual_seed(7)
    layer = torch.nn.Linear(3, 1)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.001)
    order = torch.Generator().manual_seed(7)
    for rows in torch.utils.data.DataLoader(
        Rows(noise), batch_size=2, shuffle=True, generator=order, num_workers=workers
    ):
        optimizer.zero_grad()
        layer(rows).square().sum().backward()
        optimizer.step()
    return digest_state(layer.state_dict()).digest


loaders = {str(noise): [trained(workers, noise) for workers in (0, 1, 2, 4)] for noise in (False, True)}

state = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 3), torch.nn.BatchNorm2d(3)).state_dict()
state |= {
    "transposed": torch.arange(6.0).reshape(2, 3).t(),
    "every other": torch.arange(10)[::2],
    "scalar": torch.tensor(1.5, dtype=torch.float64),
    "empty": torch.zeros(0, 4),
    "flags": torch.tensor([True, False]),
    "half": torch.arange(3, dtype=torch.float16),
}
arrays = {name: tensor.numpy() for name, tensor in state.items()}
both = {**state, "brain": torch.arange(5, dtype=torch.bfloat16) / 3}
stage.save_weights(both)
stage.save_weights(state, "tensors.safetensors")
stage.save_weights(arrays, "arrays.safetensors")
digests = {
    "torch": digest_state(state).digest,
    "numpy": digest_state(arrays).digest,
    "torch_file": digest_safetensors(stage.out / "tensors.safetensors").digest,
    "numpy_file": digest_safetensors(stage.out / "arrays.safetensors").digest,
}
# the same tensors, put in the other way round, are the same file
stage.save_weights(dict(reversed(state.items())), "turned.safetensors")
saved = {name: (stage.out / f"{name}.safetensors").read_bytes() for name in ("tensors", "turned")}
known = {  # docs/formats/weights-digest.md
    "layer.bias": torch.tensor([0.25]),
    "layer.weight": torch.tensor([[1, -2, 0.5]]),
    "steps": torch.tensor(3),
}
for name in ("tensors", "arrays", "turned"):
    (stage.out / f"{name}.safetensors").unlink()
stage.save_json("facts.json", {
    "facts": facts,
    "draws": draws,
    "loaders": loaders,
    "digests": digests,
    "same_bytes": saved["tensors"] == saved["turned"],
    "known": digest_state(known).digest,
    "all_torch": digest_state(both).digest,
    "all_file": digest_safetensors(stage.out / "weights.safetensors").digest,
})
"""
REFUSED = """import torch


def put(rows):
    return rows.put_(torch.tensor([0, 0]), torch.tensor([1.0, 2.0]))


put(torch.zeros(3))
"""


@dataclass(frozen=True)
class Probed:
    facts: dict[str, dict[str, Any]]  # stage → what it wrote
    weights: Path


def probed(world: World, project: Path, *options: str) -> Probed:
    found = {}
    for stage in ("probe", "again"):
        built = world.json("nix", "build", "--no-link", "--stage", stage, *options, cwd=project)
        out = world.file(built["outputs"][stage])
        found[stage] = json.loads((out / "facts.json").read_text())
    return Probed(found, out / "weights.safetensors")


@pytest.fixture(scope="module")
def project(quickstart: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The quickstart's sources and lock with other stages."""
    folder = shutil.copytree(
        quickstart,
        tmp_path_factory.mktemp("torch") / "probe",
        ignore=shutil.ignore_patterns("result*", ".reprobuild"),
    )
    spec = folder / "reprobuild.toml"
    spec.write_text(spec.read_text().partition("[stages.prepare]")[0] + STAGES)
    (folder / "probe.py").write_text(PROBE)
    return folder


@pytest.fixture(scope="module")
def usual(world: World, project: Path) -> Probed:
    return probed(world, project)


@pytest.fixture(scope="module")
def other(world: World, project: Path) -> Probed:
    """With another value for everything in `[numerics]`."""
    spec = project / "reprobuild.toml"
    text = spec.read_text()
    try:
        numerics = "seed = 1\nthreads = 1\ndeterministic = false\ntf32 = true\n"
        before, _, rest = text.partition("seed = 0\nthreads = 2\n")
        spec.write_text(before + numerics + rest)
        return probed(world, project)
    finally:
        spec.write_text(text)


def test_torch_has_deterministic_kernels_two_threads_and_full_precision(usual: Probed) -> None:
    facts = dict(usual.facts["probe"]["facts"])
    assert "does not have a deterministic implementation" in facts.pop("refused")
    assert facts == {
        "deterministic": True,
        "warn_only": False,
        "fill": False,
        "threads": 2,
        "interop_threads": 1,
        "cudnn_benchmark": False,
        "cudnn_deterministic": True,
        "tf32": [False, False],
    }


def test_a_build_names_the_operator_that_is_not_deterministic_and_where_it_is_called(
    world: World, project: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(project, tmp_path / "refused", ignore=shutil.ignore_patterns(".reprobuild"))
    (folder / "probe.py").write_text(REFUSED)
    done = world.reprobuild("nix", "build", "--stage", "probe", cwd=folder, status=100)
    assert "stage probe failed: operator put_ has no deterministic form, at probe.py:5" in done.stderr


def test_torch_follows_the_spec_where_it_says_otherwise(other: Probed) -> None:
    assert other.facts["probe"]["facts"] == {
        "deterministic": False,
        "warn_only": False,
        "fill": False,
        "threads": 1,
        "interop_threads": 1,
        "cudnn_benchmark": False,
        "cudnn_deterministic": False,
        "tf32": [True, True],
        "refused": None,
    }


def test_random_numbers_are_equal_in_two_runs_and_others_with_another_seed(
    usual: Probed, other: Probed
) -> None:
    first, second, seeded = (
        run["draws"] for run in (usual.facts["probe"], usual.facts["again"], other.facts["probe"])
    )
    assert first == second
    assert {kind for kind in first if first[kind] == seeded[kind]} == set()
    assert len({json.dumps(value) for value in first.values()}) == len(first)


def test_tensors_arrays_and_files_have_one_digest(usual: Probed) -> None:
    found = usual.facts["again"]
    assert len(set(found["digests"].values())) == 1
    assert found["same_bytes"]
    assert found["known"] == "sha256-I8U0uwJ3BlNyFyWTdhteJgGN2TIvyAR79lgPdYxlTQE="
    assert found["all_torch"] == found["all_file"] == digest_safetensors(usual.weights).digest
    assert found["all_file"] != found["digests"]["torch"]


def test_how_many_processes_load_data_does_not_matter_unless_they_draw(usual: Probed) -> None:
    """docs/reproducibility.md says what to do about the second."""
    plain, noisy = (usual.facts["probe"]["loaders"][noise] for noise in ("False", "True"))
    assert len(set(plain)) == 1
    assert len(set(noisy)) == 4, "each number of processes gives other weights"
    assert noisy == usual.facts["again"]["loaders"]["True"], "and the same ones in each run"
