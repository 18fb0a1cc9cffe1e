"""What does it cost to compare two large files of weights?"""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.contest import interleaved, ratios
from benchmarks.place import Place
from benchmarks.result import Result, ratio_bar
from reprobuild.services.compare import compare_trees
from reprobuild.services.compare_files import PIECE_BYTES

REPEAT = 5
LIMIT = 1.3
FILE_BYTES = 1 << 30
TENSORS = 64


def measure(place: Place, repeat: int) -> Result:
    equal, differing = (place.folder / "compare" / name for name in ("equal", "differing"))
    first = place.folder / "compare" / "first"
    for folder in (first, equal, differing):
        folder.mkdir(parents=True, exist_ok=True)
        write_weights(folder / "weights.safetensors")
    change_one_element(differing / "weights.safetensors")
    samples = interleaved(
        "compare",
        [
            lambda: {"read": seconds(lambda: read_both(first, equal))},
            lambda: {"equal": seconds(lambda: check(first, equal, tensors=0))},
            lambda: {"one tensor differs": seconds(lambda: check(first, differing, tensors=1))},
        ],
        repeat,
    )
    return Result(
        name="compare",
        question="What does it cost to compare two large files of weights?",
        contenders={
            "read": "both files read with `readinto` into one buffer of 128 KiB as ours, nothing compared; in the page cache",
            "equal": "`compare_trees` of two equal files",
            "one tensor differs": "`compare_trees`; one element in the middle differs, and is found and measured",
        },
        samples=samples,
        ratios={
            f"{name} / read": ratios(samples, [name], ["read"]) for name in ("equal", "one tensor differs")
        },
        bars=[
            ratio_bar(f"compare two safetensors of 1 GiB, {name}", samples, [name], ["read"], LIMIT)
            for name in ("equal", "one tensor differs")
        ],
        remarks={"file_bytes": FILE_BYTES, "tensors": TENSORS},
    )


def write_weights(file: Path, size_bytes: int = FILE_BYTES) -> None:
    """A safetensors file of `TENSORS` tensors with the same bytes each time."""
    each = size_bytes // TENSORS
    header = {
        f"layer{number:02}": {
            "dtype": "F32",
            "shape": [each // 4],
            "data_offsets": [number * each, number * each + each],
        }
        for number in range(TENSORS)
    }
    text = json.dumps(header).encode()
    block = struct.pack("<1024f", *(1 / (n + 1) for n in range(1024))) * (each // 4096)
    with file.open("wb") as stream:
        stream.write(struct.pack("<Q", len(text)) + text)
        for _ in range(TENSORS):
            stream.write(block)


def change_one_element(file: Path) -> None:
    with file.open("r+b") as stream:
        stream.seek(file.stat().st_size // 2)
        stream.write(b"\1\2\3\4")


def read_both(first: Path, second: Path) -> None:
    buffer = bytearray(PIECE_BYTES)
    for folder in (first, second):
        with (folder / "weights.safetensors").open("rb", buffering=0) as file:
            while file.readinto(buffer):
                pass


def check(first: Path, second: Path, *, tensors: int) -> None:
    found = compare_trees("train", first, second)
    if len(found.tensors) != tensors:
        raise AssertionError(f"{len(found.tensors)} tensors differ, not {tensors}")


def seconds(work: Callable[[], None]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
