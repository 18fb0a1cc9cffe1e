"""What is known of a store path and of a project's derivations."""

from __future__ import annotations

from dataclasses import dataclass, field

from reprobuild.domain.digest import Digest


@dataclass(frozen=True)
class PathInfo:
    """
    Args:
        deriver: the `.drv` that it was built from, where the store says so; the file itself may be gone. Another
            store may know another one, or none, of the same path.
    """

    path: str
    nar_hash: Digest
    nar_size_bytes: int
    deriver: str | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Derivation:
    """One derivation with one output."""

    drv_path: str
    out_path: str

    @property
    def name(self) -> str:
        return self.drv_path.rpartition("/")[2].partition("-")[2].removesuffix(".drv")


@dataclass(frozen=True)
class Instantiation:
    """All derivations of a project; stages in the order of their needs."""

    model: Derivation
    stages: dict[str, Derivation]
    environment: Derivation
    base: Derivation
    wheels: tuple[Derivation, ...]
    shims: tuple[
        Derivation, ...
    ] = ()  # what stages need beside the environment: portable shim, CUDA compiler

    def all(self) -> tuple[Derivation, ...]:
        return (self.base, *self.wheels, self.environment, *self.shims, *self.stages.values(), self.model)

    def labels(self) -> dict[str, str]:
        """Derivation path → what people call it."""
        named = {"base": self.base, "environment": self.environment, **self.stages, "model": self.model}
        return {drv.drv_path: label for label, drv in named.items()}
