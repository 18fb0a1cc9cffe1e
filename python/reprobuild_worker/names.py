"""Read-only look-ups that answer a wrong name with the nearest right one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from reprobuild_worker.errors import UnknownNameError


class Params(Mapping[str, Any]):
    """A stage's parameters: `params.lr` and `params["lr"]` are the same; tables nest.

    A parameter called like a method (`items`, `keys`, `values`, `get`) is reached by item only.
    """

    def __init__(self, values: Mapping[str, Any], *, stage: str, path: str = "params") -> None:
        self._values = values
        self._stage = stage
        self._path = path

    def __getitem__(self, name: str) -> Any:
        if name not in self._values:
            raise unknown(f"parameter {self._path}.{name}", name, self._values, self._stage)
        value = self._values[name]
        if isinstance(value, Mapping):
            return Params(value, stage=self._stage, path=f"{self._path}.{name}")
        return value

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # protocols such as copy ask for these
            raise AttributeError(name)
        return self[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __repr__(self) -> str:
        return f"Params({dict(self._values)!r})"


class Paths(Mapping[str, Path]):
    """A stage's datasets, or the outputs of the stages it needs, by name."""

    def __init__(self, paths: Mapping[str, Path], *, kind: str, stage: str) -> None:
        self._paths = paths
        self._kind = kind
        self._stage = stage

    def __getitem__(self, name: str) -> Path:
        if name not in self._paths:
            raise unknown(f"{self._kind} {name!r}", name, self._paths, self._stage)
        return self._paths[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)

    def __contains__(self, name: object) -> bool:
        return name in self._paths

    def __repr__(self) -> str:
        return f"Paths({dict(self._paths)!r})"


def unknown(what: str, name: str, known: Iterable[str], stage: str) -> UnknownNameError:
    """The error for a name that the spec does not declare for this stage."""
    names = sorted(known)
    nearest = difflib.get_close_matches(name, names, n=1)
    if nearest:
        hint = f"did you mean {nearest[0]!r}?"
    elif names:
        hint = f"declared are: {', '.join(names)}"
    else:
        hint = f"declare it in reprobuild.toml, [stages.{stage}]"
    return UnknownNameError(f"stage {stage} has no {what}", hint=hint)
