"""Where can a Debian archive be had?

Order: the spec's mirrors, `REPROBUILD_DEBIAN_MIRRORS`, the mirrors that apt uses on this host; for a dated
state also archives that keep old states. No address is built in: a mirror needs no trust, so the host's own
are as good as any.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from reprobuild.adapters.debian.apt_sources import apt_mirrors

MIRRORS_VARIABLE = "REPROBUILD_DEBIAN_MIRRORS"  # addresses, comma separated
SNAPSHOTS_VARIABLE = "REPROBUILD_DEBIAN_SNAPSHOTS"  # the same, of dated archives
SNAPSHOT_FORMAT = "%Y%m%dT%H%M%SZ"

_PLACEHOLDER = "@SNAPSHOTID@"  # apt's own, apt.conf(5) Acquire::Snapshots
_APT_CONFIG = re.compile(
    r'^Acquire::Snapshots::URI::(?:Override::)?(?:Origin|Label)::Debian "([^"]+)";$', re.MULTILINE
)


class Mirror(NamedTuple):
    url: str  # the folder that holds dists/ and pool/; no slash at the end
    origin: str  # who named it


@dataclass(frozen=True)
class Mirrors:
    live: tuple[Mirror, ...] = ()  # one state each, the newest that they know
    dated: tuple[Mirror, ...] = ()  # templates with a placeholder for a time

    @property
    def known(self) -> bool:
        return bool(self.live or self.dated)


def find_mirrors(
    spec_mirrors: Iterable[str],
    environment: Mapping[str, str],
    *,
    apt_folder: Path = Path("/etc/apt"),
    apt_config: str = "",
) -> Mirrors:
    """All mirrors that are configured, best first, each once.

    Args:
        spec_mirrors: `[base] mirrors`.
        environment: where the two variables are looked up.
        apt_config: what `apt-config dump` prints, or nothing.
    """
    live = [Mirror(_clean(url), "[base] mirrors") for url in spec_mirrors]
    live += [Mirror(_clean(url), MIRRORS_VARIABLE) for url in _listed(environment, MIRRORS_VARIABLE)]
    live += [Mirror(_clean(url), str(file)) for url, file in apt_mirrors(apt_folder)]
    dated = [Mirror(template(url), SNAPSHOTS_VARIABLE) for url in _listed(environment, SNAPSHOTS_VARIABLE)]
    dated += [Mirror(template(url), "apt-config") for url in _APT_CONFIG.findall(apt_config) if ":" in url]
    return Mirrors(_each_once(live), _each_once(dated))


def template(url: str) -> str:
    """A dated archive's address with the placeholder where the time goes."""
    url = _clean(url)
    return url if _PLACEHOLDER in url else f"{url}/{_PLACEHOLDER}"


def dated_url(mirror: Mirror, moment: datetime) -> str:
    """The folder that holds the archive as it was at `moment` (UTC)."""
    return mirror.url.replace(_PLACEHOLDER, moment.strftime(SNAPSHOT_FORMAT))


def package_urls(mirrors: Mirrors, pool_path: str, released: datetime) -> tuple[str, ...]:
    """Addresses of a package of the state released at `released`, best first.

    A release's date is that of its making; dated archives show it hours later, so a day is added first.
    """
    live = [mirror.url for mirror in mirrors.live]
    dated = [
        dated_url(m, released + later) for m in mirrors.dated for later in (timedelta(days=1), timedelta())
    ]
    return tuple(f"{base}/{pool_path}" for base in live + dated)


def _listed(environment: Mapping[str, str], name: str) -> list[str]:
    return [part.strip() for part in environment.get(name, "").split(",") if part.strip()]


def _clean(url: str) -> str:
    url = url.strip().rstrip("/")
    return Path(url).absolute().as_uri() if url.startswith(("/", "./", "../")) else url


def _each_once(mirrors: Iterable[Mirror]) -> tuple[Mirror, ...]:
    first: dict[str, Mirror] = {}
    for mirror in mirrors:
        first.setdefault(mirror.url, mirror)
    return tuple(first.values())
