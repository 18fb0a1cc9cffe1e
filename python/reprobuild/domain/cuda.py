"""What goes with which CUDA toolkit: drivers, compute capabilities, builds of torch.

The values are in nix/lib/cuda.json, which Nix reads as well; format page: docs/formats/cuda-table.md.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from reprobuild.domain.spec_types import ComputeCapability, CudaVersion, Date, DriverVersion, Text
from reprobuild.domain.value import Value

Capabilities = Annotated[tuple[ComputeCapability, ...], Field(min_length=1)]


class _StrictValue(Value):
    model_config = ConfigDict(strict=True)


class CudaSource(_StrictValue):
    """Where values of the table were read."""

    about: Text = Field(description="path of the values inside the table")
    title: Text = Field(description="document or command")
    address: str | None = Field(default=None, description="of the document")
    read: Date = Field(description="day, YYYY-MM-DD")


class Toolkit(_StrictValue):
    minimum_driver: DriverVersion = Field(description="oldest driver on Linux x86-64 that runs it")
    compute_capabilities: Capabilities = Field(description="what its compiler makes machine code for, rising")
    nvcc_in_wheels: bool = Field(description="whether its wheels hold a whole nvcc")


class TorchBuild(_StrictValue):
    toolkit: CudaVersion = Field(description="toolkit that it was built with")
    compute_capabilities: Capabilities = Field(description="what it has machine code for, rising")


class CudaTable(_StrictValue):
    """A whole `nix/lib/cuda.json`."""

    schema_: Literal["reprobuild.cuda-table/1"] = Field(
        alias="schema", description="name and version of this format"
    )
    sources: tuple[CudaSource, ...] = Field(description="where the values were read")
    toolkits: dict[CudaVersion, Toolkit] = Field(description="by version, major.minor")
    torch: dict[CudaVersion, TorchBuild] = Field(
        description="torch's wheels on the default index, by version, major.minor"
    )
