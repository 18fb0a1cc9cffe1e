"""What a stage's code may ask and say: the `stage` object.

Source: docs/stage-api.md.
"""

from __future__ import annotations

import atexit
import os
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from reprobuild_worker import determinism, weights
from reprobuild_worker.canonical import write_json
from reprobuild_worker.config import OUT_VARIABLE, StageConfig, stage_config
from reprobuild_worker.digest import digest_safetensors
from reprobuild_worker.errors import OutputError
from reprobuild_worker.names import Params, Paths
from reprobuild_worker.nixlog import Reporter
from reprobuild_worker.progress import Progress
from reprobuild_worker.trajectory import FILE_NAME, Trajectory

T = TypeVar("T")


class Stage:
    """The stage that runs now: its parameters, inputs and output, progress and reproducible randomness.

    In a build the worker hands over the configuration (`bind`). Elsewhere, as in `reprobuild nix shell`,
    it is read from the same environment variable on first use.
    """

    def __init__(self) -> None:
        self._config: StageConfig | None = None
        self._out: Path | None = None
        self._reporter = Reporter()
        self._trajectory = Trajectory()
        self._generators: dict[tuple[str, str], Any] = {}

    def bind(self, config: StageConfig, out: Path, reporter: Reporter) -> None:
        """Take a configuration instead of reading it from the environment. The worker calls this."""
        self._config, self._out, self._reporter = config, out, reporter

    # ---- what the spec says

    @property
    def name(self) -> str:
        return self._get().name

    @property
    def params(self) -> Params:
        """`[stages.NAME] params`: `stage.params.lr`, `stage.params["lr"]`, tables nest."""
        return Params(self._get().params, stage=self.name)

    @property
    def data(self) -> Paths:
        """Datasets by name, each a file or folder."""
        return Paths(self._get().data, kind="dataset", stage=self.name)

    @property
    def inputs(self) -> Paths:
        """Output folders of the stages in `needs`, by name."""
        return Paths(self._get().inputs, kind="input", stage=self.name)

    @property
    def out(self) -> Path:
        """The output folder. Files in it must be declared in `[stages.NAME] outputs`."""
        self._get()
        assert self._out is not None
        return self._out

    @property
    def seed(self) -> int:
        return self._get().numerics.seed

    @property
    def threads(self) -> int:
        return self._get().numerics.threads

    # ---- randomness: one stream per name, independent of all others

    def generator(self, name: str) -> Any:
        """A torch generator on the CPU; the same object, going on, each time the name is asked for."""
        import torch

        seed = determinism.derived_seed(self.seed, name, 63)
        return self._stream("torch", name, lambda: torch.Generator().manual_seed(seed))

    def numpy_rng(self, name: str) -> Any:
        """A `numpy.random.Generator`; the same object, going on, each time the name is asked for."""
        import numpy

        seed = determinism.derived_seed(self.seed, name, 128)
        return self._stream("numpy", name, lambda: numpy.random.default_rng(seed))

    def python_rng(self, name: str) -> random.Random:
        """A `random.Random`; the same object, going on, each time the name is asked for."""
        seed = determinism.derived_seed(self.seed, name, 128)
        rng: random.Random = self._stream("python", name, lambda: random.Random(seed))
        return rng

    # ---- progress

    def epochs(self, count: int) -> Iterator[int]:
        """Yield the epochs 1 to `count`, showing where the training is."""
        return self._progress.epochs(count)

    def steps(self, batches: Iterable[T], total: int | None = None) -> Iterator[T]:
        """Yield the batches, showing how far the epoch is and measuring the wait for data."""
        return self._progress.steps(batches, total)

    def log(self, **values: Any) -> None:
        """Say numbers such as loss; those of an epoch go to the trajectory, so nothing that varies."""
        self._progress.log(values)

    def measure(self, **values: Any) -> None:
        """Say numbers that vary between runs, such as images per second. They go to the build record only."""
        self._get()
        self._reporter.event("measure", stage=self.name, values=values)

    # ---- the trajectory

    def record_initial_weights(self, state: Mapping[str, Any]) -> None:
        """Record the digest of the weights before training."""
        self._check_trajectory_declared()
        self._trajectory.record_initial_weights(state)

    def record_sample_order(self, indices: Any) -> None:
        """Record the order in which samples are used; may be called for each epoch or batch."""
        self._check_trajectory_declared()
        self._trajectory.record_sample_order(indices)

    def record_weights(self, state: Mapping[str, Any]) -> None:
        """Record the digest of the weights at the end of this epoch."""
        self._check_trajectory_declared()
        if not self._progress.in_epoch:
            raise OutputError(
                "stage.record_weights is called outside of an epoch",
                hint="call it inside of `for epoch in stage.epochs(...)`",
            )
        self._trajectory.record_weights(state)

    # ---- results

    def save_weights(self, tensors: Mapping[str, Any], name: str = "weights.safetensors") -> Path:
        """Write a state dict (torch) or a dict of arrays (numpy) byte-stably; return the path."""
        path = self._output(name)
        weights.save_tensors(path, tensors)
        self._reporter.event("weights", stage=self.name, file=name, digest=digest_safetensors(path).digest)
        return path

    def save_arrays(self, name: str, **arrays: Any) -> Path:
        """Write numpy arrays (or torch tensors) byte-stably as safetensors; return the path."""
        path = self._output(name)
        weights.save_tensors(path, arrays)
        return path

    def save_golden(self, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> Path:
        """Write a few inputs with the model's answers to `golden.safetensors`; return the path.

        `reprobuild verify` compares the answers of a rebuilt model with them (docs/stage-api.md).
        """
        named = {f"input.{name}": value for name, value in inputs.items()}
        named |= {f"output.{name}": value for name, value in outputs.items()}
        path = self._output("golden.safetensors")
        weights.save_tensors(path, named)
        return path

    def load_weights(self, path: str | os.PathLike[str]) -> dict[str, Any]:
        """Read a safetensors file as torch tensors on the CPU."""
        return weights.load_weights(Path(path))

    def load_arrays(self, path: str | os.PathLike[str]) -> dict[str, Any]:
        """Read a safetensors file as numpy arrays."""
        return weights.load_arrays(Path(path))

    def save_metrics(self, **values: Any) -> Path:
        """Write `metrics.json`, from which the spec's `[metrics]` are read; return the path."""
        return self.save_json("metrics.json", values)

    def save_json(self, name: str, value: Any) -> Path:
        """Write canonical JSON (docs/stage-api.md); return the path."""
        path = self._output(name)
        write_json(path, value)
        return path

    # ---- for the worker

    @property
    def loader_s(self) -> float | None:
        """Seconds that `steps` waited for batches; None when there were none to wait for."""
        return self._progress.loader_s if "_progress" in self.__dict__ and self._progress.loader_s else None

    def finish(self) -> None:
        """Write what was collected. The worker calls this after user code has ended well."""
        config = self._get()
        if FILE_NAME in config.outputs and not self._trajectory.empty:
            self._trajectory.write(self.out, stage=config.name, seed=config.numerics.seed)

    def abandon(self) -> None:
        """User code failed: nothing that is still open counts."""
        if "_progress" in self.__dict__:
            self._progress.abandon()

    @cached_property
    def _progress(self) -> Progress:
        return Progress(self.name, self._reporter, self._trajectory.end_epoch)

    def _get(self) -> StageConfig:
        if self._config is None:
            config = stage_config(os.environ)
            determinism.apply(config.numerics, os.environ)
            self._config = config
            self._out = Path(os.environ.get(OUT_VARIABLE, "out")).absolute()
            self._out.mkdir(parents=True, exist_ok=True)
            atexit.register(self.finish)
        return self._config

    def _output(self, name: str) -> Path:
        path = self.out / name
        if not path.resolve().is_relative_to(self.out.resolve()):
            raise OutputError(f"{name} lies outside of the output folder")
        return path

    def _stream(self, kind: str, name: str, make: Callable[[], Any]) -> Any:
        if (kind, name) not in self._generators:
            self._generators[kind, name] = make()
        return self._generators[kind, name]

    def _check_trajectory_declared(self) -> None:
        if FILE_NAME not in self._get().outputs:
            raise OutputError(
                f"stage {self.name} records its training, but does not declare where",
                hint=f"declare {FILE_NAME} in outputs (reprobuild.toml, [stages.{self.name}])",
            )
