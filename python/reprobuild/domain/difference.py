"""What differs between two models: in meaning, in the closure, and by which derivations.

Format page: docs/formats/diff.md.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import Field

from reprobuild.domain.comparison import TensorDifference
from reprobuild.domain.value import Value

DIFF_SCHEMA: Final = "reprobuild.diff/1"

State = Literal["added", "removed", "changed"]
SideKind = Literal["project", "revision", "lock", "result", "record", "statement", "store path"]


class ComparedSide(Value):
    named: str = Field(description="what it is, for people")
    kind: SideKind
    model: str | None = Field(default=None, description="name and version")
    artifact_id: str | None = None
    drv_path: str | None = Field(default=None, description="derivation of the model")
    signed_by: tuple[str, ...] | None = Field(
        default=None, description="of a statement: names of keys of the trust file; null: not checked"
    )


class ValueChange(Value):
    """One named value that is not the same on both sides; null: it is not there."""

    name: str
    state: State
    first: Any = None
    second: Any = None


class Interval(Value):
    """95 % confidence, from how a baseline's runs with other seeds scatter."""

    low: float
    high: float
    runs: int = Field(description="of the baseline")


class MetricChange(Value):
    name: str
    first: float | None = Field(default=None, description="null: not measured")
    second: float | None = None
    delta: float | None = Field(default=None, description="second minus first")
    interval: Interval | None = Field(
        default=None, description="of the delta; null: there is no baseline of one of both sides"
    )


class RowChange(Value):
    """One row of a table, such as `17: 5,3.1` and `17: 5,3.2`."""

    state: State
    first_row: int | None = Field(default=None, description="its number, from 1, the header not counted")
    second_row: int | None = None
    first: str | None = None
    second: str | None = None


class RowChanges(Value):
    added: int
    removed: int
    changed: int
    reordered: bool = Field(default=False, description="the same rows in another order")
    columns_added: tuple[str, ...] = ()
    columns_removed: tuple[str, ...] = ()
    columns_reordered: bool = Field(default=False, description="the same columns in another order")
    examples: tuple[RowChange, ...] = Field(default=(), description="the first few")


class DataChange(Value):
    """One dataset, which is one file."""

    name: str
    state: State
    first_sha256: str | None = None
    second_sha256: str | None = None
    first_size_bytes: int | None = None
    second_size_bytes: int | None = None
    rows: RowChanges | None = Field(default=None, description="of CSV and JSON Lines, also in gzip")
    rows_unknown: str | None = Field(default=None, description="why rows were not compared")


class FunctionChange(Value):
    name: str = Field(description="such as `Net.forward`; `module` is all that lies in no function or class")
    state: State


class CodeChange(Value):
    file: str
    state: State
    functions: tuple[FunctionChange, ...] = Field(default=(), description="of Python files on both sides")
    layout_only: bool = Field(
        default=False, description="Python with the same meaning: comments or layout differ"
    )


class WeightsChange(Value):
    """One file of weights; tensors that are equal are only counted."""

    file: str
    state: State
    equal_tensors: int = 0
    tensors: tuple[TensorDifference, ...] = ()


class Meaning(Value):
    metrics: tuple[MetricChange, ...] = ()
    parameters: tuple[ValueChange, ...] = Field(default=(), description="`stages.NAME.params.KEY`")
    data: tuple[DataChange, ...] = ()
    code: tuple[CodeChange, ...] = ()
    software: tuple[ValueChange, ...] = Field(
        default=(), description="torch, CUDA, driver, Python, C library"
    )
    machine: tuple[ValueChange, ...] = Field(default=(), description="what was measured where it was built")
    spec: tuple[ValueChange, ...] = Field(default=(), description="other keys of the spec")
    weights: tuple[WeightsChange, ...] = ()
    outputs: tuple[ValueChange, ...] = Field(
        default=(), description="hashes of stages' outputs and of the artifact's files"
    )


class PackageChange(Value):
    kind: str
    name: str
    state: State
    first_version: str | None = None
    second_version: str | None = None
    first_size_bytes: int | None = None
    second_size_bytes: int | None = None


class KindTotal(Value):
    """All packages of one kind, changed or not."""

    kind: str
    first_count: int
    second_count: int
    first_size_bytes: int
    second_size_bytes: int
    first_only_bytes: int = Field(description="unique: in files that the other side has not")
    second_only_bytes: int


class Closure(Value):
    totals: tuple[KindTotal, ...]
    packages: tuple[PackageChange, ...] = ()


class DerivationDifference(Value):
    """Two derivations of the same role that are not the same."""

    name: str
    first_drv_path: str
    second_drv_path: str
    path: tuple[str, ...] = Field(description="the shortest, from the model down to it")
    own: tuple[ValueChange, ...] = Field(
        default=(), description="what differs in itself: environment variables, arguments, files"
    )
    inputs: tuple[str, ...] = Field(default=(), description="inputs on both sides that differ")
    inputs_added: tuple[str, ...] = ()
    inputs_removed: tuple[str, ...] = ()

    @property
    def is_origin(self) -> bool:
        """It differs in itself, not only through an input."""
        return bool(self.own or self.inputs_added or self.inputs_removed)

    @property
    def repeats_the_spec(self) -> bool:
        """The model's own derivation: it holds the whole spec, so every change shows in it once more."""
        return self.path == ("model",)


class Difference(Value):
    schema_: Literal["reprobuild.diff/1"] = Field(default=DIFF_SCHEMA, alias="schema")
    first: ComparedSide
    second: ComparedSide
    same: bool = Field(description="nothing differs in what could be compared")
    meaning: Meaning
    closure: Closure | None = Field(default=None, description="null: not known on both sides")
    cause: tuple[DerivationDifference, ...] | None = Field(
        default=None, description="shortest explanation first; null: derivations are not known on both sides"
    )
    not_compared: tuple[str, ...] = Field(default=(), description="what could not be compared, and why")
