"""How much of the machine did others use meanwhile? Tells whether times can be trusted."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

_WHO = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


class Meter:
    """Counts from when it is made. Builds of a nix-daemon count as others'; as root there is none."""

    def __init__(self, table: Path = Path("/proc/stat")) -> None:
        self._table = table
        self._begun = time.monotonic()
        self._busy_s, self._own_s = self._busy(), own_s()

    def share(self) -> float:
        """Of all cores, from 0 to 1, time that the hypervisor gave to other machines included."""
        cores_s = (time.monotonic() - self._begun) * (os.cpu_count() or 1)
        used_s = (self._busy() - self._busy_s) - (own_s() - self._own_s)
        return round(min(max(used_s / cores_s, 0.0), 1.0), 3)

    def _busy(self) -> float:
        return busy_s(self._table.read_text(encoding="utf-8"))


def busy_s(stat: str) -> float:
    """Seconds in which a core was not idle, all cores together. Source: proc(5), /proc/stat."""
    user, nice, system, _, _, irq, softirq, steal = (int(word) for word in stat.splitlines()[0].split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def own_s() -> float:
    """Processor seconds of this process and of all that it has waited for."""
    return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, _WHO))
