"""Run Nix while a tree of its builds is kept and shown."""

from __future__ import annotations

import time
from collections.abc import Sequence

from reprobuild.core.build_tree import BuildTree
from reprobuild.domain.build_event import Event
from reprobuild.ports import Builder, BuildView


def realise_watched(
    builder: Builder,
    drv_paths: Sequence[str],
    tree: BuildTree,
    view: BuildView,
    *,
    jobs: int | None = None,
    keep_going: bool = False,
    check: bool = False,
    caches: Sequence[str] = (),
) -> int:
    """Nix's exit status; tree and view are finished however it ends.

    Raises:
        KeyboardInterrupt: after Nix and its builders have ended.
    """

    def hear(event: Event) -> None:
        now_s = time.monotonic()
        tree.apply(event, now_s)
        view.event(event, tree, now_s)

    status = 1
    try:
        view.start(tree, time.monotonic())
        status = builder.realise(
            drv_paths, hear, jobs=jobs, keep_going=keep_going, check=check, caches=caches
        )
    finally:
        tree.finish(time.monotonic(), succeeded=status == 0)
        view.finish(tree, time.monotonic())
    return status
