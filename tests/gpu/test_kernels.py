"""The kernels and the training of tests/gpu/project, checked without a GPU: emulated, and by NVIDIA's assembler."""

from __future__ import annotations

import random
import subprocess
import sys
import zipfile
from array import array
from pathlib import Path

import pytest
from tests.gpu.emulated import EmulatedGpu
from tests.gpu.load import PROJECT, load

KERNELS = PROJECT / "kernels.ptx"
ROWS, INPUTS, HIDDEN, SEED = 24, 4, 5, 7


network = load("network")


def in_python(steps: int, lr: float) -> tuple[list[float], list[list[float]], list[float]]:
    """The same training in plain Python and 64 bits: losses, first and second weights."""
    flat, targets = network.make_data(ROWS, INPUTS, SEED)
    x = [list(flat[row * INPUTS : (row + 1) * INPUTS]) for row in range(ROWS)]
    draw = random.Random(SEED + 1).uniform
    first = [draw(-1, 1) / INPUTS**0.5 for _ in range(INPUTS * HIDDEN)]
    w1 = [first[i * HIDDEN : (i + 1) * HIDDEN] for i in range(INPUTS)]
    w2 = [draw(-1, 1) / HIDDEN**0.5 for _ in range(HIDDEN)]
    losses = []
    for _ in range(steps):
        h = [[max(0.0, sum(row[i] * w1[i][j] for i in range(INPUTS))) for j in range(HIDDEN)] for row in x]
        error = [
            sum(a * b for a, b in zip(row, w2, strict=True)) - t for row, t in zip(h, targets, strict=True)
        ]
        losses.append(sum(e * e for e in error) / ROWS)
        dy = [e * 2 / ROWS for e in error]
        g2 = [sum(h[n][j] * dy[n] for n in range(ROWS)) for j in range(HIDDEN)]
        dh = [[dy[n] * w2[j] if h[n][j] > 0 else 0.0 for j in range(HIDDEN)] for n in range(ROWS)]
        for i in range(INPUTS):
            for j in range(HIDDEN):
                w1[i][j] -= lr * sum(x[n][i] * dh[n][j] for n in range(ROWS))
        w2 = [w - lr * g for w, g in zip(w2, g2, strict=True)]
    return losses, w1, w2


def emulated(
    *, atomic: bool, steps: int = 4, shuffled: int | None = None
) -> tuple[list[float], dict[str, array[float]]]:
    mixer = random.Random(shuffled)
    order = (lambda threads: mixer.sample(threads, len(threads))) if shuffled is not None else (lambda t: t)
    model = network.Perceptron(EmulatedGpu(KERNELS, order), ROWS, INPUTS, HIDDEN, SEED, atomic=atomic)
    losses = list(model.train(steps, 0.2))
    return losses, {name: values for name, (_, values) in model.weights().items()}


@pytest.mark.parametrize("atomic", [False, True])
def test_the_kernels_train_what_plain_python_trains(atomic: bool) -> None:
    losses, weights = emulated(atomic=atomic)
    expected, first, second = in_python(4, 0.2)
    assert losses == pytest.approx(expected, rel=1e-5)
    assert list(weights["first"]) == pytest.approx([w for row in first for w in row], rel=1e-4, abs=1e-6)
    assert list(weights["second"]) == pytest.approx(second, rel=1e-4, abs=1e-6)
    assert losses[-1] < losses[0]


def test_the_order_of_threads_changes_atomic_sums_alone() -> None:
    fixed = {tuple(emulated(atomic=False, steps=1, shuffled=seed)[1]["first"]) for seed in range(3)}
    atomic = {tuple(emulated(atomic=True, steps=1, shuffled=seed)[1]["first"]) for seed in range(3)}
    assert len(fixed) == 1
    assert len(atomic) > 1


@pytest.mark.slow
@pytest.mark.parametrize("package", ["nvidia-cuda-nvcc-cu12", "nvidia-cuda-nvcc"])
def test_nvidias_assembler_takes_the_kernels(package: str, tmp_path: Path) -> None:
    download = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--dest",
        str(tmp_path),
        package,
    ]
    done = subprocess.run(download, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"{package} is not to be had: {done.stderr.strip().splitlines()[-1]}")
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/bin/ptxas"))
        ptxas = Path(archive.extract(name, tmp_path))
    ptxas.chmod(0o755)
    for architecture in ("sm_75", "sm_80", "sm_90", "sm_120"):
        command = [ptxas, f"-arch={architecture}", "-o", tmp_path / "kernels.cubin", KERNELS]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
