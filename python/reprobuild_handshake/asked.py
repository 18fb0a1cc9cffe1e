"""What must the machine of this stage be? The document that Nix hands in beside the worker's own.

Source: docs/formats/worker-config.md, version 1.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from reprobuild_worker.errors import ConfigError

VARIABLE = "reprobuildHardware"
SCHEMA = "reprobuild.stage-hardware/1"


@dataclass(frozen=True)
class Asked:
    """What `[hardware]`, `[driver]` and `[cuda]` of the spec say; None where they say nothing.

    Args:
        driver_minimum_from: key of the spec: its own, or that of the toolkit which needs it.
        nvml: the wheel that has `pynvml`, for the probe alone: user code may bring another one.
    """

    accelerator: str
    gpu: str | None
    compute_capability: str | None
    driver_minimum: str | None
    driver_minimum_from: str
    driver_branch: str | None
    nvml: str


def asked(environment: Mapping[str, str]) -> Asked:
    """
    Raises:
        ConfigError: the variable is not set, not JSON, of another version, or lacks a key.
    """
    try:
        document = json.loads(environment[VARIABLE])
        if document["schema"] != SCHEMA:
            raise ConfigError(f"{VARIABLE} has schema {document['schema']!r}, this worker reads {SCHEMA!r}")
        return Asked(
            accelerator=document["accelerator"],
            gpu=document["gpu"],
            compute_capability=document["compute_capability"],
            driver_minimum=document["driver"]["minimum"],
            driver_minimum_from=document["driver"]["minimum_from"],
            driver_branch=document["driver"]["branch"],
            nvml=document["nvml"],
        )
    except KeyError as error:
        raise ConfigError(
            f"the environment variable {VARIABLE} is not set, or lacks the key {error}"
        ) from None
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{VARIABLE} is not the document it should be: {error}") from None
