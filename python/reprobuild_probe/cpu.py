"""Which processor is this, and which x86-64 level has it?"""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

# x86-64 psABI, "Micro-Architecture Levels", in the kernel's names for the flags. Each level has those before it.
LEVELS = (
    ("x86-64-v2", {"cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"}),
    ("x86-64-v3", {"abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe", "xsave"}),
    ("x86-64-v4", {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}),
)


def isa_level(flags: frozenset[str]) -> str:
    """The highest level whose flags, and those of all levels below, are there."""
    level = "x86-64-v1"
    for name, needed in LEVELS:
        if not needed <= flags:
            break
        level = name
    return level


def read_cpu(table: Path = Path("/proc/cpuinfo")) -> dict[str, Any]:
    """Model, level and logical cores; what the kernel does not say is None."""
    text = table.read_text(encoding="utf-8", errors="replace") if table.exists() else ""
    first = text.partition("\n\n")[0]
    pairs = dict(line.split(":", 1) for line in first.splitlines() if ":" in line)
    values = {key.strip(): value.strip() for key, value in pairs.items()}
    level: str | None = None
    if platform.machine() == "x86_64" and "flags" in values:
        level = isa_level(frozenset(values["flags"].split()))
    return {
        "model": values.get("model name") or None,
        "isa_level": level,
        "logical_cores": os.cpu_count(),
    }


def memory_bytes() -> int:
    """All memory that the kernel manages."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
