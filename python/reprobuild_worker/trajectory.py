"""How a training went, in digests: later used to find where two runs part.

Source: docs/formats/trajectory.md, version 1.
"""

from __future__ import annotations

import array
import hashlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reprobuild_worker.canonical import write_json
from reprobuild_worker.digest import digest_state, sri

SCHEMA = "reprobuild.trajectory/1"
FILE_NAME = "trajectory.json"
SAMPLE_ORDER_HEADER = b"reprobuild.sample-order/1\n"


class Trajectory:
    """Collects digests while a stage runs. Holds digests only, never a tensor."""

    def __init__(self) -> None:
        self._initial_weights: str | None = None
        self._epochs: list[dict[str, Any]] = []
        self._order = hashlib.sha256(SAMPLE_ORDER_HEADER)
        self._order_used = False
        self._weights: str | None = None

    @property
    def empty(self) -> bool:
        return not (self._epochs or self._initial_weights or self._order_used)

    def record_initial_weights(self, state: Mapping[str, Any]) -> None:
        self._initial_weights = digest_state(state).digest

    def record_weights(self, state: Mapping[str, Any]) -> None:
        self._weights = digest_state(state).digest

    def record_sample_order(self, indices: Any) -> None:
        self._order.update(_int64_bytes(indices))
        self._order_used = True

    def end_epoch(self, epoch: int, values: Mapping[str, Any]) -> None:
        """Close an epoch. The sample order's digest runs on, so that it also covers all epochs before."""
        self._epochs.append(
            {
                "epoch": epoch,
                "weights": self._weights,
                "sample_order": sri(self._order.copy().digest()) if self._order_used else None,
                "values": dict(values),
            }
        )
        self._weights = None

    def write(self, out: Path, *, stage: str, seed: int) -> None:
        document = {
            "schema": SCHEMA,
            "stage": stage,
            "seed": seed,
            "initial_weights": self._initial_weights,
            "sample_order": sri(self._order.digest()) if self._order_used else None,
            "epochs": self._epochs,
        }
        write_json(out / FILE_NAME, document)


def _int64_bytes(indices: Any) -> bytes:
    """Indices (list, numpy array or torch tensor of any integer type) as little-endian 64-bit integers."""
    numbers = indices.tolist() if hasattr(indices, "tolist") else list(indices)
    encoded = array.array("q", numbers)
    if sys.byteorder != "little":
        encoded.byteswap()
    return encoded.tobytes()
