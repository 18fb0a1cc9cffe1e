"""Store paths of fixed-output sources, computed without Nix.

Source of both rules: Nix manual, "Store path specification"; checked against Nix in tests/integration.
"""

from __future__ import annotations

import hashlib
import re
from typing import Literal

from reprobuild.domain.digest import Digest, nix32

STORE_DIR = "/nix/store"
Mode = Literal["flat", "recursive"]

_NOT_ALLOWED = re.compile(r"[^A-Za-z0-9._-]")


def store_name(file_name: str) -> str:
    """A file name as a store name: everything but letters, digits, `.`, `_`, `-` becomes `_`.

    The same rule stands in nix/lib/names.nix; a test compares the two.
    """
    name = _NOT_ALLOWED.sub("_", file_name)
    return f"_{name}" if name.startswith(".") else name


def fixed_output_path(name: str, digest: Digest, mode: Mode, store_dir: str = STORE_DIR) -> str:
    """The path of a source with this name and content, wherever it comes from.

    Args:
        name: store name.
        digest: SHA-256 of the file (flat) or of its NAR (recursive).
    """
    if mode == "recursive":
        kind, inner = "source", digest.hex
    else:
        kind = "output:out"
        inner = hashlib.sha256(f"fixed:out:sha256:{digest.hex}:".encode()).hexdigest()
    whole = hashlib.sha256(f"{kind}:sha256:{inner}:{store_dir}:{name}".encode()).digest()
    folded = bytearray(20)
    for position, byte in enumerate(whole):
        folded[position % 20] ^= byte
    return f"{store_dir}/{nix32(bytes(folded))}-{name}"
