"""Which driver does a toolkit need, and which processors does it know?

Reads nix/lib/cuda.json, a part of this package, so that Nix and Python go by one table.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from reprobuild.core.package_data import data_root
from reprobuild.domain.spec import Spec

if TYPE_CHECKING:
    from reprobuild.domain.cuda import CudaTable, Toolkit


@cache
def cuda_table() -> CudaTable:
    from reprobuild.domain.cuda import CudaTable  # for projects with a toolkit alone

    return CudaTable.model_validate_json((data_root() / "nix/lib/cuda.json").read_bytes())


def toolkit_of(spec: Spec) -> Toolkit | None:
    """What the table says of the spec's toolkit; None where the spec names none, or one it does not know."""
    return cuda_table().toolkits.get(spec.cuda.toolkit) if spec.cuda else None


def least_driver(spec: Spec) -> str | None:
    """The oldest driver that a GPU stage may meet: as the spec says, else as its toolkit needs."""
    if spec.driver is not None and spec.driver.minimum is not None:
        return spec.driver.minimum
    toolkit = toolkit_of(spec)
    return toolkit.minimum_driver if toolkit else None


def runs_on(built_for: tuple[str, ...], capability: str) -> bool:
    """Whether machine code for these capabilities runs on a GPU of this one.

    It runs on the same major version with the same or a higher minor one.
    Source: CUDA C++ Programming Guide, "Binary Compatibility".
    """
    major, minor = capability.split(".")
    return any(one.split(".")[0] == major and int(one.split(".")[1]) <= int(minor) for one in built_for)


def version_key(version: str) -> tuple[int, ...]:
    """For order by number: `"12.10"` comes after `"12.9"`."""
    return tuple(int(part) for part in version.split("."))
