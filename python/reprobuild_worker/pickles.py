"""Is this file a pickle, by whatever name? Pickles run code when they are read; no artifact holds one."""

from __future__ import annotations

import ast
import bz2
import gzip
import io
import itertools
import lzma
import pickletools
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO

SUFFIXES = (".pkl", ".pickle", ".pt", ".pth", ".joblib", ".dill", ".cloudpickle")
HEAD_BYTES = 64 * 1024
PEEL_BYTES = 4096  # of a compressed stream
COUNTED_OPCODES = {ord(op.code) for op in pickletools.opcodes if op.arg is not None and op.arg.n < -1}

DECOMPRESSORS: tuple[tuple[bytes, Callable[[bytes], bytes]], ...] = (
    (b"\x1f\x8b", lambda head: gzip.GzipFile(fileobj=io.BytesIO(head)).read(PEEL_BYTES)),
    (b"BZh", lambda head: bz2.BZ2Decompressor().decompress(head, PEEL_BYTES)),
    (b"\xfd7zXZ", lambda head: lzma.LZMADecompressor().decompress(head, PEEL_BYTES)),
    (b"\x78", lambda head: zlib.decompressobj().decompress(head, PEEL_BYTES)),
)


def why_pickle(path: Path) -> str | None:
    """Say what kind of pickle a file is, or None when it is none.

    Looks at the name and the content: pickle streams (bare or compressed), torch's zip archives, numpy arrays
    of objects in .npy and .npz.
    """
    if path.suffix.lower() in SUFFIXES:
        return f"the suffix {path.suffix} means a pickle"
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        if head.startswith(b"PK\x03\x04"):
            return _in_zip(file)
    return _in_stream(head)


def _in_stream(head: bytes) -> str | None:
    if head.startswith(b"\x93NUMPY"):
        return "a numpy array of Python objects" if _npy_has_objects(head) else None
    if _is_pickle_stream(head):
        return "a pickle stream"
    for magic, decompress in DECOMPRESSORS:
        if head.startswith(magic):
            try:
                inner = decompress(head)
            except (OSError, EOFError, zlib.error, lzma.LZMAError):
                continue
            if _is_pickle_stream(inner):
                return "a compressed pickle stream"
    return None


def _in_zip(file: IO[bytes]) -> str | None:
    try:
        with zipfile.ZipFile(file) as archive:
            for name in archive.namelist():
                if name.lower().endswith(SUFFIXES):
                    return f"a zip archive with the pickle {name}"
                with archive.open(name) as member:
                    if reason := _in_stream(member.read(HEAD_BYTES)):
                        return f"a zip archive in which {name} is {reason}"
    except zipfile.BadZipFile:
        return None
    return None


def _is_pickle_stream(head: bytes) -> bool:
    """A PROTO opcode (protocols 2 to 5), then two more opcodes that make sense, or the end.

    Two bytes alone would also accuse a safetensors file whose header is 640 bytes long.
    """
    if len(head) < 3 or head[0] != 0x80 or head[1] not in range(2, 6):
        return False
    seen = 0
    try:
        for _ in itertools.islice(pickletools.genops(head), 3):
            seen += 1
    except Exception:  # pickletools raises many kinds for what is no pickle, or reaches over our head's end
        return len(head) >= PEEL_BYTES and (seen >= 2 or head[2] in COUNTED_OPCODES)
    return True


def _npy_has_objects(head: bytes) -> bool:
    size_bytes = 2 if head[6] == 1 else 4
    start = 8 + size_bytes
    end = start + int.from_bytes(head[8:start], "little")
    try:
        header = ast.literal_eval(head[start:end].decode("latin-1").strip())
    except (ValueError, SyntaxError):
        return True  # numpy could not read it safely either
    return "O" in str(header.get("descr"))
