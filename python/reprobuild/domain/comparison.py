"""Where two outputs of one stage differ, and why.

Format page: docs/formats/comparison.md.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import Field, FiniteFloat

from reprobuild.domain.value import Value

COMPARISON_SCHEMA: Final = "reprobuild.comparison/1"

CauseClass = Literal[
    "time stamp",
    "set or folder order",
    "key order",
    "unseeded random source",
    "reduction order",
    "cpu kernels",
    "gpu kernels",
    "uninitialised memory",
    "archive metadata",
    "embedded path",
    "host name or process id",
    "memory address",
    "unknown",
]


class Origin(Value):
    """What is known of how one side was made; every part may be unknown."""

    host: dict[str, Any] | None = Field(
        default=None, description="what the stage saw of its machine, as in a build record"
    )
    numerics: dict[str, Any] | None = Field(default=None, description="what computed, as in a build record")
    hardware: dict[str, Any] | None = Field(default=None, description="hardware profile, of a stage on a GPU")
    started: str | None = Field(default=None, description="when it was built: UTC, ISO 8601")


class FileDifference(Value):
    """One path of the output that is not the same on both sides."""

    path: str = Field(description="below the output; `.` when the outputs themselves are single files")
    state: Literal["differs", "missing", "extra", "kind", "executable", "target"] = Field(
        description="content differs; only in the first; only in the second; file, folder or link; mode; link"
    )
    format: str | None = Field(default=None, description="as which the content was read, such as safetensors")
    first_size_bytes: int | None = None
    second_size_bytes: int | None = None
    first_differing_byte: int | None = Field(default=None, description="offset from 0")
    first_differing_line: int | None = Field(default=None, description="of a text, from 1")


class TensorDifference(Value):
    """One tensor that is not the same on both sides."""

    file: str
    name: str
    state: Literal["values", "dtype", "shape", "missing", "extra"]
    first_dtype: str | None = Field(default=None, description="as safetensors writes it, such as F32")
    second_dtype: str | None = None
    first_shape: tuple[int, ...] | None = None
    second_shape: tuple[int, ...] | None = None
    elements: int | None = Field(default=None, description="in the tensor")
    differing_elements: int | None = Field(default=None, description="whose bits differ")
    first_index: tuple[int, ...] | None = Field(
        default=None, description="first differing element, row-major"
    )
    first_value: str | None = Field(default=None, description="there, in the first; text, as it may be nan")
    second_value: str | None = None
    max_absolute: FiniteFloat | None = Field(
        default=None, description="largest difference where both sides are finite"
    )
    max_relative: FiniteFloat | None = Field(
        default=None, description="largest difference by the larger of both magnitudes"
    )
    relative_to_largest: FiniteFloat | None = Field(
        default=None, description="largest difference by the largest magnitude among the differing elements"
    )
    max_ulp: int | None = Field(
        default=None, description="largest number of representable values between; of floats"
    )
    first_garbage: int = Field(
        default=0, description="differing elements that are nan, infinite, huge or subnormal, in the first"
    )
    second_garbage: int = Field(default=0, description="the same in the second")
    permuted: bool = Field(default=False, description="the same elements in another order")


class TrajectoryDifference(Value):
    """Where two trainings part, read from their trajectories."""

    file: str
    parted: Literal["seed", "initial weights", "sample order", "weights", "value", "length"] = Field(
        description="what parted first"
    )
    name: str | None = Field(default=None, description="of the logged value that parted first")
    epoch: int | None = Field(default=None, description="from 1; null: before the first epoch")
    last_equal_epoch: int | None = None
    first: str | None = Field(default=None, description="digest or value there, in the first")
    second: str | None = None
    sample_order_equal: bool | None = Field(
        default=None, description="over the whole training; null if it was not recorded"
    )
    relative_value_difference: FiniteFloat | None = Field(
        default=None, description="largest relative difference of a value logged in that epoch"
    )


class JsonDifference(Value):
    """The first place at which two JSON documents part."""

    file: str
    state: Literal["value", "missing", "extra", "length", "key order", "element order", "spelling"] = Field(
        description="spelling: the same values, written otherwise"
    )
    key_path: str = Field(description="such as epochs[2].values.loss; empty for the whole document")
    first: str | None = Field(default=None, description="JSON text there, shortened")
    second: str | None = None
    differing_values: int = Field(default=1, description="in the whole document")


class Cause(Value):
    """One explanation of differences, with what speaks for it."""

    cause: CauseClass
    file: str = Field(description="below the output")
    place: str = Field(description="where in the file: key, tensor, line, archive member or byte")
    evidence: str = Field(description="in words, both sides included")
    certainty: Literal["shown", "likely", "possible"] = Field(
        description="shown: taking this difference away leaves both sides equal"
    )


class StageComparison(Value):
    """Everything that differs between two outputs of one stage."""

    schema_: Literal["reprobuild.comparison/1"] = Field(default=COMPARISON_SCHEMA, alias="schema")
    label: str = Field(description="name of the stage, or model")
    equal: bool
    files: tuple[FileDifference, ...] = ()
    tensors: tuple[TensorDifference, ...] = ()
    trajectory: TrajectoryDifference | None = None
    documents: tuple[JsonDifference, ...] = Field(default=(), description="JSON files that differ")
    causes: tuple[Cause, ...] = Field(default=(), description="most likely first")
    foreign: dict[str, str] = Field(
        default={}, description="file → what diffoscope says of it, where it is installed; shortened"
    )
