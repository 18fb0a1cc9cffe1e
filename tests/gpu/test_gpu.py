"""On a real GPU: probe, hook, training inside the sandbox, equal bytes, and what determinism costs.

`scripts/gpu-tests` runs these and keeps the figures.
"""

from __future__ import annotations

import hashlib
import json
import statistics
import time
from pathlib import Path
from typing import Any

import pytest
from tests.gpu.conftest import NO_GPU, PROJECT, GpuBuilder
from tests.gpu.load import load

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.integration,
    pytest.mark.skipif(NO_GPU is not None, reason=str(NO_GPU)),
]

ROUNDS = 3
STEPS, RUNS = 200, 7


def test_the_probe_finds_the_gpu_and_what_it_offers(builder: GpuBuilder) -> None:
    assert builder.profile["gpus"]
    assert builder.profile["driver"]["version"]
    assert "cuda" in builder.profile["features"]
    assert any(name.startswith("cuda-sm-") for name in builder.profile["features"])
    assert any(name.startswith("nvidia-driver-") for name in builder.profile["features"])


def test_a_stage_trains_on_the_gpu_inside_the_sandbox(builder: GpuBuilder, figures: dict[str, Any]) -> None:
    built = builder.json("nix", "build")
    assert (builder.world.file(built["outputs"]["model"]) / "weights.safetensors").stat().st_size > 1000
    assert "train" in built["built"] and built["metrics"]["gpu_files_shown"] == 0  # to evaluate, on the CPU
    record = json.loads(Path(built["record"]).read_text(encoding="utf-8"))
    train = next(output for output in record["outputs"] if output["label"] == "train")
    measured, probed = train["hardware"], builder.profile
    assert measured["driver"]["version"] == probed["driver"]["version"]
    assert [gpu["name"] for gpu in measured["gpus"]] == [gpu["name"] for gpu in probed["gpus"]]
    figures["build"] = {"built": built["built"], "train_s": train["duration_s"]}


def test_rebuilds_give_equal_bytes(builder: GpuBuilder, figures: dict[str, Any]) -> None:
    builder.json("nix", "build")
    verdict = builder.json("verify", "--rounds", str(ROUNDS))
    stages = {stage["label"]: (stage["equal"], stage["rounds"]) for stage in verdict["stages"]}
    figures["rebuilds"] = {label: {"equal": equal, "rounds": n} for label, (equal, n) in stages.items()}
    assert stages["train"] == (ROUNDS, ROUNDS)
    assert verdict["ok"]


def _train(*, atomic: bool, rows: int = 65536) -> tuple[float, str]:
    """Seconds for the steps, and the digest of the weights; without a sandbox, so that time can be taken."""
    driver, network = load("driver"), load("network")
    gpu = driver.Gpu.with_kernels(PROJECT)
    model = network.Perceptron(gpu, rows, 16, 64, 0, atomic=atomic)
    list(model.train(5, 0.2))  # the first launches compile and load
    start = time.perf_counter()
    list(model.train(STEPS, 0.2))
    taken_s = time.perf_counter() - start
    digest = hashlib.sha256(b"".join(values.tobytes() for _, values in model.weights().values())).hexdigest()
    return taken_s, digest


def test_what_determinism_costs(builder: GpuBuilder, figures: dict[str, Any]) -> None:
    """Runs of both kinds in turn, so that a change of clocks meets both."""
    runs = [(_train(atomic=False), _train(atomic=True)) for _ in range(RUNS)]
    fixed, atomic = ([run[kind] for run in runs] for kind in (0, 1))
    fixed_s, atomic_s = (statistics.median(taken_s for taken_s, _ in kind) for kind in (fixed, atomic))
    figures["determinism"] = {
        "what": f"{STEPS} steps over 65536 rows, median of {RUNS} runs, outside the sandbox",
        "deterministic_s": round(fixed_s, 4),
        "atomic_s": round(atomic_s, 4),
        "cost_percent": round((fixed_s / atomic_s - 1) * 100, 1),
        "all_runs_s": {"deterministic": [t for t, _ in fixed], "atomic": [t for t, _ in atomic]},
        "different_weights": {
            "deterministic": len({digest for _, digest in fixed}),
            "atomic": len({digest for _, digest in atomic}),
        },
    }
    assert len({digest for _, digest in fixed}) == 1
