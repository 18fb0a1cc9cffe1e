"""What does Nix take in from outside to build a derivation? Everything in its closure that is not built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reprobuild.domain.drv import DrvFile, FixedHash


@dataclass(frozen=True)
class Outside:
    fixed: dict[str, FixedHash]  # store path → what its content must be
    sources: tuple[str, ...]  # store paths that evaluation copied there: code of stages, build rules; sorted


def outside(drv_path: str, read: Callable[[str], DrvFile]) -> Outside:
    """
    Args:
        read: a derivation's file, by its store path.
    """
    fixed: dict[str, FixedHash] = {}
    sources: set[str] = set()
    seen, todo = {drv_path}, [drv_path]
    while todo:
        drv = read(todo.pop())
        sources.update(drv.input_srcs)
        fixed |= {drv.outputs[name]: known for name, known in drv.fixed_hashes.items()}
        todo += drv.input_drvs.keys() - seen
        seen |= drv.input_drvs.keys()
    return Outside(dict(sorted(fixed.items())), tuple(sorted(sources)))
