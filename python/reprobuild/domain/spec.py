"""The model spec, `reprobuild.toml`, as checked and frozen values.

What a person writes; format page: docs/formats/spec.md. Defaults stand here only: `nix/lib/spec-defaults.json`
is generated from these classes (`reprobuild schema --defaults`), and a test says so when it drifts.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from reprobuild.domain.digest import Digest

SPEC_SCHEMA = "reprobuild.spec/1"
SPEC_FILE = "reprobuild.toml"

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$", max_length=64)]
MetricName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z][a-zA-Z0-9_.-]*$", max_length=64)]
Text = Annotated[str, StringConstraints(min_length=1)]
Date = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")]
Finite = Annotated[float, Field(allow_inf_nan=False)]


def _project_relative(path: str) -> str:
    parts = path.split("/")
    if path.startswith("/") or ".." in parts or "" in parts or "\\" in path:
        raise ValueError("expected a path inside the project, such as data/rows.csv")
    return "/".join(part for part in parts if part != ".") or "."


ProjectPath = Annotated[str, StringConstraints(min_length=1), AfterValidator(_project_relative)]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)


class TensorSignature(Section):
    """One named input or output of the model."""

    dtype: Text
    shape: tuple[int | str, ...] = Field(description="sizes; a word such as 'batch' stands for a free size")
    description: str = ""


class Model(Section):
    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=64)]
    version: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]*$", max_length=64)]
    description: Text
    license: Text = Field(description="SPDX expression")
    owners: Annotated[tuple[Text, ...], Field(min_length=1)]
    tags: tuple[Text, ...] = ()
    inputs: dict[str, TensorSignature] = {}
    outputs: dict[str, TensorSignature] = {}


class Base(Section):
    """The system below Python: C library, interpreter, shared libraries."""

    kind: Literal["debian", "nixpkgs"] = "debian"
    suite: Literal["bookworm", "trixie"] = "bookworm"
    snapshot: Annotated[str, StringConstraints(pattern=r"^\d{8}T\d{6}Z$")] | None = Field(
        default=None, description="dated state of the archive; the newest one when left out"
    )
    packages: tuple[Text, ...] = Field(default=(), description="further packages, with what they depend on")
    mirrors: tuple[Text, ...] = Field(default=(), description="addresses tried before the host's own mirrors")


class Python(Section):
    requirements: tuple[Text, ...] = ()
    requirements_file: ProjectPath | None = Field(
        default=None, description="requirements.txt or pyproject.toml inside the project"
    )


class Cuda(Section):
    toolkit: Text


class Driver(Section):
    minimum: Text


class Hardware(Section):
    """What a builder must have; recorded in the artifact as required."""

    system: Literal["x86_64-linux", "aarch64-linux"] = "x86_64-linux"
    accelerator: Literal["none", "nvidia"] = "none"
    gpu: Text | None = None
    compute_capability: Text | None = None


class Resources(Section):
    """Planned use, compared with the measured one."""

    cores: Annotated[int, Field(gt=0)] | None = None
    memory_gib: Annotated[Finite, Field(gt=0)] | None = None
    time_s: Annotated[Finite, Field(gt=0)] | None = None


class Numerics(Section):
    """How the numbers are kept equal."""

    level: Literal["exact", "portable", "tolerant"] = "exact"
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    threads: Annotated[int, Field(gt=0, le=1024)] = 2
    deterministic: bool = Field(default=True, description="refuse operators that have no deterministic form")
    tf32: bool = Field(default=False, description="allow TensorFloat-32 on GPUs")


class Dataset(Section):
    path: ProjectPath | None = Field(default=None, description="file inside the project")
    url: Text | None = Field(default=None, description="address of the file; needs sha256")
    sha256: Digest | None = Field(default=None, description="expected digest, checked when locking")
    source: Text = Field(description="where it comes from: an address or a citation")
    license: Text
    retrieved: Date = Field(description="day of retrieval, YYYY-MM-DD, as a string")
    description: str = ""
    owner: str = ""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.path is None) == (self.url is None):
            raise ValueError("expected either path (a file of the project) or url")
        if self.url is not None and self.sha256 is None:
            raise ValueError("a dataset with url needs sha256")
        return self


class Stage(Section):
    run: Text = Field(description="script.py, or package.module:function")
    files: tuple[ProjectPath, ...] = Field(default=(), description="further files and folders it may see")
    needs: tuple[Name, ...] = Field(default=(), description="stages whose outputs it reads")
    data: tuple[Name, ...] = Field(default=(), description="datasets it reads")
    params: dict[str, Any] = {}
    outputs: Annotated[tuple[Text, ...], Field(min_length=1)] = Field(
        description="every file or folder that it writes"
    )
    features: tuple[Text, ...] = Field(default=(), description="system features that its builder must have")

    @model_validator(mode="after")
    def _runnable(self) -> Self:
        if not re.fullmatch(r"[\w./-]+\.py|[A-Za-z_][\w.]*:[A-Za-z_]\w*", self.run):
            raise ValueError(f"run: expected script.py or package.module:function, found {self.run!r}")
        if ":" in self.run and not self.files:
            raise ValueError("run names a function: list the files of its package under files")
        if not self.run.endswith(".py") or ":" in self.run:
            return self
        _project_relative(self.run)
        return self

    @property
    def source_files(self) -> tuple[str, ...]:
        """Everything of the project that the stage sees, sorted: its script and `files`."""
        script = () if ":" in self.run else (_project_relative(self.run),)
        return tuple(sorted({*self.files, *script}))


class Tolerance(Section):
    """By how much two runs may differ in a metric and still count as the same behaviour."""

    absolute: Annotated[Finite, Field(ge=0)] | None = None
    relative: Annotated[Finite, Field(ge=0)] | None = None


class Metric(Section):
    stage: Name
    minimum: Finite | None = None
    maximum: Finite | None = None
    required: bool = Field(default=True, description="a missed goal fails the model")
    tolerance: Tolerance | None = None
    description: str = ""
    owner: str = ""
    reason: str = Field(default="", description="why this goal and this tolerance")


class Artifact(Section):
    files: tuple[Text, ...] = Field(default=(), description="STAGE/FILE, copied into the artifact as FILE")


class Spec(Section):
    """A whole `reprobuild.toml`."""

    schema_: Literal["reprobuild.spec/1"] = Field(alias="schema")
    model: Model
    base: Base = Base()
    python: Python = Python()
    cuda: Cuda | None = None
    driver: Driver | None = None
    hardware: Hardware = Hardware()
    resources: Resources | None = None
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
                raise ValueError(f"stages need each other in a circle: {', '.join(left)}")
            order.append(ready[0])
            del left[ready[0]]
        return tuple(order)
