"""The one place that knows all adapters: puts them into services. Imports are lazy, for a quick start.

Each file wires the services of one theme; a command sees them all as one `Session`.
"""

from __future__ import annotations

from reprobuild.cli.wiring.auditing import Auditing
from reprobuild.cli.wiring.machines import Machines
from reprobuild.cli.wiring.places import all_caches, cache_home, templates
from reprobuild.cli.wiring.sharing import Sharing

__all__ = ["Session", "all_caches", "cache_home", "session", "templates"]


class Session(Auditing, Sharing, Machines):
    """Everything one command needs, made when first asked for."""


def session(*, quiet: bool = False) -> Session:
    return Session(quiet)
