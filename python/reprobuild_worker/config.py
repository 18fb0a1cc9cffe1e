"""What is this stage to do? The documents that Nix hands to the worker in environment variables.

Source: docs/formats/worker-config.md, version 1.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reprobuild_worker.errors import ConfigError

STAGE_VARIABLE = "reprobuildStage"
MODEL_VARIABLE = "reprobuildModel"
OUT_VARIABLE = "out"  # set by Nix: the output path
STAGE_SCHEMA = "reprobuild.stage/1"
MODEL_SCHEMA = "reprobuild.model/1"


@dataclass(frozen=True)
class Numerics:
    """How the numbers are kept equal: the spec's section of that name."""

    level: str = "exact"
    seed: int = 0
    threads: int = 1
    deterministic: bool = True
    tf32: bool = False


@dataclass(frozen=True)
class Limits:
    """What the stage may use at most: `cores` and `memory_mib` of its `resources` in the spec."""

    cores: int | None = None
    memory_mib: int | None = None


@dataclass(frozen=True)
class StageConfig:
    name: str
    run: str  # "train.py" or "package.module:function"
    source: Path  # folder with this stage's files, laid out as in the project
    inputs: Mapping[str, Path]  # outputs of the stages it needs
    data: Mapping[str, Path]
    params: Mapping[str, Any]
    outputs: tuple[str, ...]
    numerics: Numerics
    limits: Limits


@dataclass(frozen=True)
class ModelConfig:
    spec: Mapping[str, Any]
    lock: Path
    stages: Mapping[str, Path]
    sources: Mapping[str, Path]
    system: str | None  # "x86_64-linux", as Nix sets it in every build


def decode_floats(value: Any) -> Any:
    """Turn `{"__float__": [mantissa, exponent]}` back into floats, at any depth.

    Nix prints floats with six digits, so they travel as two integers: mantissa * 2**exponent, exact.
    """
    if isinstance(value, dict):
        if value.keys() == {"__float__"}:
            mantissa, exponent = value["__float__"]
            return math.ldexp(mantissa, exponent)
        return {key: decode_floats(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [decode_floats(inner) for inner in value]
    return value


def stage_config(environment: Mapping[str, str]) -> StageConfig:
    """Read a stage's configuration.

    Raises:
        ConfigError: the variable is not set, not JSON, of another version, or lacks a key.
    """
    document = _document(environment, STAGE_VARIABLE, STAGE_SCHEMA)
    try:
        numerics, limits = document.get("numerics", {}), document.get("limits", {})
        return StageConfig(
            name=document["name"],
            run=document["run"],
            source=Path(document["source"]),
            inputs=_paths(document.get("inputs", {})),
            data=_paths(document.get("data", {})),
            params=document.get("params", {}),
            outputs=tuple(document["outputs"]),
            numerics=Numerics(**{k: v for k, v in numerics.items() if k in Numerics.__dataclass_fields__}),
            limits=Limits(cores=limits.get("cores"), memory_mib=limits.get("memory_mib")),
        )
    except KeyError as error:
        raise ConfigError(f"{STAGE_VARIABLE} lacks the key {error}") from None


def model_config(environment: Mapping[str, str]) -> ModelConfig:
    """Read the final model derivation's configuration.

    Raises:
        ConfigError: as `stage_config`.
    """
    document = _document(environment, MODEL_VARIABLE, MODEL_SCHEMA)
    try:
        return ModelConfig(
            spec=document["spec"],
            lock=Path(document["lock"]),
            stages=_paths(document["stages"]),
            sources=_paths(document.get("sources", {})),
            system=environment.get("system"),
        )
    except KeyError as error:
        raise ConfigError(f"{MODEL_VARIABLE} lacks the key {error}") from None


def _document(environment: Mapping[str, str], variable: str, schema: str) -> dict[str, Any]:
    text = environment.get(variable)
    if text is None:
        raise ConfigError(
            f"the environment variable {variable} is not set, so there is no stage here",
            hint="run it in a build (`reprobuild nix build`) or in its environment (`reprobuild nix shell`)",
        )
    try:
        document = decode_floats(json.loads(text))
    except ValueError as error:
        raise ConfigError(f"{variable} is not JSON: {error}") from None
    found = document.get("schema") if isinstance(document, dict) else None
    if found != schema:
        raise ConfigError(f"{variable} has schema {found!r}, this worker reads {schema!r}")
    return dict(document)


def _paths(names: Mapping[str, str]) -> dict[str, Path]:
    return {name: Path(path) for name, path in names.items()}
