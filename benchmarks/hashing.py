"""One SHA-256 pass over a tree with all cores: the least that a content-checked store has to do on top."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

BATCH_BYTES = 8 << 20


def files_of(tree: Path) -> list[tuple[int, str]]:
    """(size, path) of all regular files, largest first."""
    found = []
    for folder, _, names in os.walk(tree):
        for name in names:
            path = os.path.join(folder, name)  # noqa: PTH118 - twenty thousand of them
            if not os.path.islink(path):  # noqa: PTH114
                found.append((os.path.getsize(path), path))  # noqa: PTH202
    return sorted(found, reverse=True)


def batches(files: Sequence[tuple[int, str]]) -> Iterator[list[str]]:
    """Big files alone, small ones together, so that handing out work costs nothing."""
    batch: list[str] = []
    size = 0
    for size_bytes, path in files:
        batch.append(path)
        size += size_bytes
        if size >= BATCH_BYTES or len(batch) >= 500:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def hash_pass(tree: Path) -> tuple[float, int]:
    """Seconds to hash every file once, and the bytes that were hashed. Finding the files is not timed."""
    files = files_of(tree)
    work = list(batches(files))
    with multiprocessing.get_context("fork").Pool(os.cpu_count()) as pool:
        begun = time.perf_counter()
        hashed = sum(pool.imap_unordered(_hash, work))
        seconds = time.perf_counter() - begun
    return seconds, hashed


def _hash(paths: Sequence[str]) -> int:
    hashed = 0
    buffer = memoryview(bytearray(1 << 20))
    for path in paths:
        digest = hashlib.sha256()
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123
            while count := file.readinto(buffer):
                digest.update(buffer[:count])
                hashed += count
        digest.digest()
    return hashed
