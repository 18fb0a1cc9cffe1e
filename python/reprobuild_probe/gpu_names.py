"""A GPU's name as a system feature has it: from what NVML calls the GPU."""

from __future__ import annotations

import re

_VENDOR = re.compile(r"^(NVIDIA )?(Tesla |GeForce )?", re.IGNORECASE)
# Memory size and kind, socket, and words that tell nothing apart: not part of the model.
_NOT_THE_MODEL = re.compile(
    r"\b(\d+GB|HBM\w*|SXM\d*|PCIe?|NVL|Generation|Edition|Series|GPU)\b", re.IGNORECASE
)


def gpu_names(name: str) -> tuple[str, ...]:
    """The model, and the whole name where that says more.

    >>> gpu_names("NVIDIA H100 80GB HBM3")
    ('h100', 'h100-80gb-hbm3')
    >>> gpu_names("Tesla T4")
    ('t4',)
    >>> gpu_names("NVIDIA A100-SXM4-40GB MIG 1g.5gb")
    ('a100-mig-1g-5gb', 'a100-sxm4-40gb-mig-1g-5gb')
    """
    board, mig, profile = name.partition(" MIG ")
    whole = _VENDOR.sub("", board)
    names = (_slug(_NOT_THE_MODEL.sub(" ", whole)) or _slug(whole), _slug(whole))
    suffix = f"-mig-{_slug(profile)}" if mig else ""
    return tuple(dict.fromkeys(f"{one}{suffix}" for one in names))


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
