"""The hardware profile of a machine: what `reprobuild_probe` measured there.

Format page: docs/formats/hardware-profile.md.
"""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field, NonNegativeInt

from reprobuild.domain.value import Value

HARDWARE_PROFILE_SCHEMA: Final = "reprobuild.hardware-profile/1"


class Cpu(Value):
    model: str | None
    isa_level: str | None = Field(description="x86-64-v1 to x86-64-v4; null on other processors")
    logical_cores: int | None


class Driver(Value):
    """The NVIDIA driver, as far as it is outside of every closure."""

    version: str | None = Field(description="such as 580.65.06")
    cuda_version: str | None = Field(description="newest CUDA that it runs, such as 13.0")
    libraries: dict[str, str] = Field(description="name → SHA-256 (hex) of the file behind it")
    libraries_digest: str | None = Field(description="SHA-256 (hex) over the lines `NAME SHA256`, by name")


class MigSlice(Value):
    profile: str = Field(description="NVIDIA's name of its size, such as 1g.5gb")
    memory_bytes: NonNegativeInt
    multiprocessors: NonNegativeInt


class Gpu(Value):
    index: NonNegativeInt = Field(description="NVML's number, from 0")
    name: str | None = Field(description="as NVML says it; null: it does not answer")
    memory_bytes: int | None
    compute_capability: str | None = Field(description="such as 9.0")
    multiprocessors: int | None = Field(description="SM count, from CUDA; null where MIG splits it")
    threads_per_multiprocessor: int | None = Field(description="at most, from CUDA")
    ecc_enabled: bool | None
    mig_enabled: bool | None
    mig_slices: tuple[MigSlice, ...]
    pcie_generation: int | None = Field(description="newest that GPU and slot can do")
    pcie_lanes: int | None
    pcie_bytes_per_s: int | None = Field(description="nominal, one direction: generation times lanes")
    nvlink_version: str | None
    nvlink_links: int | None = Field(description="active ones")
    nvlink_bytes_per_s: int | None = Field(description="nominal, one direction, all links together")
    names: tuple[str, ...] = Field(description="the model as in the feature gpu-NAME, then the whole name")


class HardwareProfile(Value):
    schema_: Literal["reprobuild.hardware-profile/1"] = Field(alias="schema")
    host_name: str
    system: str = Field(description="Nix's name, such as x86_64-linux")
    cpu: Cpu
    memory_bytes: NonNegativeInt
    driver: Driver | None = Field(description="null: there is none, or it does not work")
    cuda_devices: int | None = Field(description="devices that CUDA lists; null: it does not start")
    gpus: tuple[Gpu, ...]
    not_available: dict[str, str] = Field(
        description="field that is null, or features where there are none → why"
    )
    features: tuple[str, ...] = Field(description="system features that it offers to Nix")
