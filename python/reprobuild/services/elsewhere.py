"""How builds get to other machines, as a build is told before it knows whether it needs any."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reprobuild.domain.lock import Source
    from reprobuild.domain.machine import Machine
    from reprobuild.services.project import Project
    from reprobuild.services.remote import RemoteBuilder


@dataclass(frozen=True)
class Elsewhere:
    """How builds get to other machines.

    Args:
        builder: what builds a project's derivations on a machine.
    """

    builder: Callable[[Project, Machine], RemoteBuilder]
    fetch: Callable[[Project, Sequence[Source]], object]
