"""The model spec, `reprobuild.toml`, as checked and frozen values.

What a person writes; format page: docs/formats/spec.md. Defaults stand here only:
`nix/lib/spec-defaults.json` is generated from these classes (`reprobuild schema --defaults`), and a test
says so when it drifts.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from reprobuild.domain.spec_types import (
    Address,
    AddressOrText,
    ComputeCapability,
    CudaVersion,
    Date,
    DriverBranch,
    DriverVersion,
    EntryPoint,
    Finite,
    GpuName,
    MetricName,
    ModelName,
    ModelVersion,
    Name,
    OutputPath,
    ProjectPath,
    Requirement,
    Snapshot,
    SriDigest,
    Task,
    Text,
    refuse,
)

SPEC_SCHEMA: Final = "reprobuild.spec/1"
SPEC_FILE = "reprobuild.toml"


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)


class TensorSignature(Section):
    """One named input or output of the model."""

    dtype: Text = Field(description="element type, such as float32")
    shape: tuple[int | str, ...] = Field(description="sizes; a word such as 'batch' stands for a free size")
    description: str = Field(default="", description="what the values mean")


class Model(Section):
    """What the model is, and whose."""

    name: ModelName = Field(description="short name, such as digits")
    version: ModelVersion = Field(description="version of the model, such as 1.0.0")
    description: Text = Field(description="one sentence: what it does")
    license: Text = Field(description="licence of the model, an SPDX expression such as Apache-2.0")
    owners: Annotated[tuple[Text, ...], Field(min_length=1)] = Field(description="who answers for it")
    task: Task | None = Field(
        default=None, description="what it is for, as Hugging Face's pipelines call it: image-classification"
    )
    tags: tuple[Text, ...] = Field(default=(), description="words for the model card")
    inputs: dict[str, TensorSignature] = Field(default={}, description="signature: what goes in")
    outputs: dict[str, TensorSignature] = Field(default={}, description="signature: what comes out")


class Base(Section):
    """The system below Python: C library, interpreter, shared libraries."""

    kind: Literal["debian", "nixpkgs"] = Field(default="debian", description="where the system comes from")
    suite: Literal["bookworm", "trixie"] = Field(
        default="bookworm", description="Debian 12 with Python 3.11, or Debian 13 with Python 3.13"
    )
    snapshot: Snapshot | None = Field(
        default=None, description="dated state of the archive; the newest one when left out"
    )
    packages: tuple[Text, ...] = Field(default=(), description="further packages, with what they depend on")
    mirrors: tuple[Address, ...] = Field(
        default=(), description="addresses tried before the host's own mirrors"
    )

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if self.kind != "debian" and (given := self.model_fields_set - {"kind"}):
            refuse(
                f"a {self.kind} base has no Debian packages",
                f'kind = "{self.kind}" and no other key',
                f'leave out {", ".join(sorted(given))}, or take kind = "debian"',
                f"{', '.join(sorted(given))} as well",
            )
        return self


class Python(Section):
    """The wheels that all stages see."""

    requirements: tuple[Requirement, ...] = Field(
        default=(), description="requirements as pip writes them (PEP 508)"
    )
    requirements_file: ProjectPath | None = Field(
        default=None, description="requirements.txt or pyproject.toml inside the project"
    )


class Cuda(Section):
    """Which CUDA the wheels are built for."""

    toolkit: CudaVersion = Field(description="version of the CUDA toolkit, such as 13.0")
    nvcc: bool = Field(
        default=False, description="nvcc, headers and a host compiler too, for kernels of your own"
    )


class Driver(Section):
    """The NVIDIA driver of a builder: required, measured, recorded; it is in no closure."""

    minimum: DriverVersion | None = Field(
        default=None, description="oldest driver version, such as 580.65.06"
    )
    branch: DriverBranch | None = Field(
        default=None,
        description="exactly this branch of drivers, such as 580: other ones may round differently",
    )


class Hardware(Section):
    """What a builder must have; recorded in the artifact as required."""

    system: Literal["x86_64-linux", "aarch64-linux"] = Field(
        default="x86_64-linux", description="Nix's name of the system"
    )
    accelerator: Literal["none", "nvidia"] = Field(
        default="none", description="kind of GPU that stages with `gpu = true` run on"
    )
    gpu: GpuName | None = Field(
        default=None, description="GPU model as in the feature gpu-NAME, such as h100: other ones are refused"
    )
    compute_capability: ComputeCapability | None = Field(
        default=None, description="CUDA compute capability, such as 9.0: other ones are refused"
    )


class Numerics(Section):
    """How the numbers are kept equal."""

    level: Literal["exact", "portable", "tolerant"] = Field(
        default="exact",
        description="what must be equal, and where: exact (this class of machine), portable (AVX2), tolerant",
    )
    seed: Annotated[int, Field(ge=0, lt=2**32)] = Field(
        default=0, description="seed of Python, numpy and torch"
    )
    threads: Annotated[int, Field(gt=0, le=1024)] = Field(
        default=2, description="threads of numeric libraries"
    )
    deterministic: bool = Field(default=True, description="refuse operators that have no deterministic form")
    tf32: bool = Field(default=False, description="allow TensorFloat-32 on GPUs")


class Dataset(Section):
    """One file of data, pinned by its digest."""

    path: ProjectPath | None = Field(default=None, description="file inside the project")
    url: Address | None = Field(
        default=None, description="address of the file, without login, query and fragment; needs sha256"
    )
    sha256: SriDigest | None = Field(default=None, description="expected digest, checked when locking")
    source: AddressOrText = Field(description="where it comes from: an address or a citation")
    license: Text = Field(description="licence of the data, an SPDX expression or a name")
    retrieved: Date = Field(description="day of retrieval, YYYY-MM-DD, as a string")
    description: str = Field(default="", description="what is in it")
    owner: str = Field(default="", description="who answers for it")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.path is None) == (self.url is None):
            refuse(
                "where is the data?" if self.path is None else "the data has two places",
                "either path (a file of the project) or url",
                actual="neither" if self.path is None else "both",
            )
        if self.url is not None and self.sha256 is None:
            refuse("url without sha256", "the digest that the file must have, as sha256", actual="none")
        return self


class Resources(Section):
    """What a stage is planned to use: `cores` and `memory_mib` are limits, the others only warn."""

    cores: Annotated[int, Field(gt=0, le=4096)] | None = Field(
        default=None, description="limit: processor cores that it may run on"
    )
    memory_mib: Annotated[int, Field(ge=16, lt=2**40)] | None = Field(
        default=None, description="limit: memory that each of its processes may allocate, MiB"
    )
    time_s: Annotated[Finite, Field(gt=0)] | None = Field(
        default=None, description="planned time from start to end, seconds"
    )
    loader_s: Annotated[Finite, Field(gt=0)] | None = Field(
        default=None, description="planned time spent waiting for data, seconds"
    )


class Stage(Section):
    """One step; a derivation of its own."""

    run: EntryPoint = Field(description="script.py, or package.module:function")
    files: tuple[ProjectPath, ...] = Field(default=(), description="further files and folders it may see")
    needs: tuple[Name, ...] = Field(default=(), description="stages whose outputs it reads")
    data: tuple[Name, ...] = Field(default=(), description="datasets it reads")
    params: dict[str, Any] = Field(default={}, description="what the code reads as parameters; any keys")
    outputs: Annotated[tuple[OutputPath, ...], Field(min_length=1)] = Field(
        description="every file or folder that it writes"
    )
    gpu: bool = Field(default=False, description="runs on the accelerator of [hardware], and only there")
    features: tuple[Text, ...] = Field(
        default=(), description="further system features that its builder must have"
    )
    resources: Resources | None = Field(default=None, description="limits, and what it is planned to take")

    @model_validator(mode="after")
    def _runnable(self) -> Self:
        if ":" in self.run and not self.files:
            refuse(
                "run names a function, and no file holds it",
                "files with the package or module of the function",
                f'such as files = ["{self.run.partition(":")[0].partition(".")[0]}"]',
                f'run = "{self.run}", no files',
            )
        return self

    @property
    def source_files(self) -> tuple[str, ...]:
        """Everything of the project that the stage sees, sorted: its script and `files`."""
        script = () if ":" in self.run else (self.run,)
        return tuple(sorted({*self.files, *script}))


class StatisticalTolerance(Section):
    """A difference that runs with other seeds show as well."""

    runs: Annotated[int, Field(ge=2, le=1000)] = Field(
        description="reference runs with other seeds, as `reprobuild baseline` makes them"
    )
    false_alarm_rate: Annotated[Finite, Field(gt=0, lt=1)] = Field(
        description="share of runs without a change that may be rejected, such as 0.01"
    )


class Tolerance(Section):
    """By how much two runs may differ in a metric and still count as the same behaviour."""

    absolute: Annotated[Finite, Field(ge=0)] | None = Field(
        default=None, description="in the metric's own unit"
    )
    relative: Annotated[Finite, Field(ge=0)] | None = Field(
        default=None, description="as a share of the reference value; beside absolute, the wider one counts"
    )
    statistical: StatisticalTolerance | None = Field(
        default=None, description="what other seeds give as well"
    )

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        fixed = self.absolute is not None or self.relative is not None
        if fixed == (self.statistical is not None):
            refuse(
                "a tolerance of two kinds" if fixed else "a tolerance that says nothing",
                "either absolute or relative (or both), or statistical",
                hint="two runs are judged by numbers, or by what other seeds give",
                actual=", ".join(sorted(self.model_fields_set)) or "an empty section",
            )
        return self


class Metric(Section):
    """A number that a stage measures, with its goal."""

    stage: Name = Field(description="stage that writes it to metrics.json")
    minimum: Finite | None = Field(default=None, description="goal: at least this")
    maximum: Finite | None = Field(default=None, description="goal: at most this")
    required: bool = Field(default=True, description="a missed goal fails the model")
    tolerance: Tolerance | None = Field(default=None, description="how far two runs may differ")
    description: str = Field(default="", description="what it measures")
    owner: str = Field(default="", description="who answers for the goal; a tolerance needs one")
    reason: str = Field(default="", description="why this goal and this tolerance; a tolerance needs one")

    @model_validator(mode="after")
    def _answered_for(self) -> Self:
        missing = [key for key in ("owner", "reason") if not getattr(self, key).strip()]
        if self.tolerance is not None and missing:
            refuse(
                f"a tolerance without {' and '.join(missing)}",
                "owner (who answers for it) and reason (why this much is harmless)",
                f"add {' and '.join(missing)}, or leave the tolerance out",
                f"no {' and no '.join(missing)}",
            )
        return self


class Artifact(Section):
    """What of the stages' outputs becomes part of the model."""

    files: tuple[OutputPath, ...] = Field(
        default=(), description="STAGE/FILE, copied into the artifact as FILE"
    )


class Spec(Section):
    """A whole `reprobuild.toml`."""

    schema_: Literal["reprobuild.spec/1"] = Field(
        alias="schema", description="name and version of this format"
    )
    model: Model
    base: Base = Base()
    python: Python = Python()
    cuda: Cuda | None = None
    driver: Driver | None = None
    hardware: Hardware = Hardware()
    numerics: Numerics = Numerics()
    datasets: dict[Name, Dataset] = {}
    stages: Annotated[dict[Name, Stage], Field(min_length=1)]
    metrics: dict[MetricName, Metric] = {}
    artifact: Artifact = Artifact()

    def stage_order(self) -> tuple[str, ...]:
        """Stage names, each after those it needs; by name where free.

        Raises:
            ValueError: the needs form a circle.
        """
        order: list[str] = []
        left = dict(sorted(self.stages.items()))
        while left:
            ready = [name for name, stage in left.items() if all(need in order for need in stage.needs)]
            if not ready:
                raise ValueError(f"stages need each other in a circle: {' → '.join(_circle(left))}")
            order.append(ready[0])
            del left[ready[0]]
        return tuple(order)


def _circle(left: dict[str, Stage]) -> list[str]:
    """One circle among stages that all wait for each other or for a circle: `[a, b, a]`."""
    walk = [next(iter(left))]
    while walk[-1] not in walk[:-1]:
        walk.append(next(need for need in sorted(left[walk[-1]].needs) if need in left))
    return walk[walk.index(walk[-1]) :]
