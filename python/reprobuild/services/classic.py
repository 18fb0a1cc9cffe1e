"""Let Nix itself send builds to other machines, by its setting `builders`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from reprobuild.domain.build_event import BuildStarted, Event
from reprobuild.ports import Builder, BuildMachine


@dataclass(frozen=True)
class ClassicBuilder:
    """Implements ports.Builder.

    Nix copies outputs and sources there and back for each build, but not the `.drv` files, which hooks on the other
    side read: these go first.

    Args:
        nix: the builder here, told of the machines.
    """

    machines: Sequence[BuildMachine]
    nix: Builder

    def realise(
        self,
        drv_paths: Sequence[str],
        on_event: Callable[[Event], None],
        *,
        jobs: int | None = None,
        keep_going: bool = False,
        check: bool = False,
        caches: Sequence[str] = (),
    ) -> int:
        """
        Raises:
            BuilderError, SandboxError: a machine cannot be used; nothing was built.
        """
        names = {one.machine.uri: one.machine.name for one in self.machines}

        def hear(event: Event) -> None:
            if isinstance(event, BuildStarted):
                event = dataclasses.replace(event, machine=names.get(event.machine, event.machine))
            on_event(event)

        for one in self.machines:
            one.require_sandbox(sent_by_nix=True)
            one.send(drv_paths, hear, derivations=True)
        return self.nix.realise(drv_paths, hear, jobs=jobs, keep_going=keep_going, check=check, caches=caches)

    def kept_output(self, out_path: str) -> Path | None:
        return self.nix.kept_output(out_path)
