"""Which store paths of a project belong into a binary cache?"""

from __future__ import annotations

from dataclasses import dataclass

from reprobuild.domain.cache_report import CacheItem
from reprobuild.services.build import BuildService
from reprobuild.services.project import Project, require_fresh_lock


@dataclass(frozen=True)
class Selection:
    """What of a project: what it is built from, what was built, or both."""

    sources: bool = True
    outputs: bool = True


def project_items(project: Project, wanted: Selection, build: BuildService) -> tuple[CacheItem, ...]:
    """Sources in the lock's order, then outputs in building order; each path once.

    Raises:
        LockMissingError, LockStaleError.
    """
    items: list[CacheItem] = []
    if wanted.sources:
        items += [
            CacheItem(source.kind, source.subject, source.store_path, source.size_bytes, source)
            for source in require_fresh_lock(project).for_system(project.spec.hardware.system)
        ]
    if wanted.outputs:
        found = build.instantiate(project)
        labels = found.labels()
        items += [
            CacheItem("output", labels.get(drv.drv_path, drv.name), drv.out_path) for drv in found.all()
        ]
    return tuple({item.path: item for item in items}.values())
