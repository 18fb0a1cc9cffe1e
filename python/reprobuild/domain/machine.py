"""A machine that builds: this one, or one entry of a Nix machines file."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import quote, urlencode

# Nix tells by the processor whether it is one: what stages of a portable model ask for (nix/lib/stages.nix).
AVX2_SYSTEM = "x86_64-v3-linux"


@dataclass(frozen=True)
class Machine:
    """
    Args:
        uri: store address such as `ssh-ng://root@host`; empty: this machine.
        systems: Nix's names, such as `x86_64-linux`.
        host_key: public host key, base64 of the whole line, as in Nix's machines file.
        supported: system features that it offers, the mandatory ones not included.
        mandatory: features that a derivation must ask for, else it is not built there.
    """

    uri: str
    systems: tuple[str, ...]
    supported: frozenset[str] = frozenset()
    mandatory: frozenset[str] = frozenset()
    ssh_key: str | None = None
    max_jobs: int = 1
    speed_factor: float = 1.0
    host_key: str | None = None

    @property
    def is_local(self) -> bool:
        return not self.uri

    @property
    def name(self) -> str:
        """The host, as messages and `--builder` name it."""
        return self.uri.partition("://")[2].partition("?")[0].rpartition("@")[2] or self.uri or "this machine"

    @property
    def store_uri(self) -> str:
        """The address with its keys, as Nix's `--store` takes it."""
        keys = {"ssh-key": self.ssh_key, "base64-ssh-public-host-key": self.host_key}
        given = urlencode({name: value for name, value in keys.items() if value}, quote_via=quote)
        return f"{self.uri}{'&' if '?' in self.uri else '?'}{given}" if given else self.uri

    @property
    def features(self) -> frozenset[str]:
        return self.supported | self.mandatory

    def takes(self, system: str, required: Collection[str]) -> bool:
        """Nix's own rule: the system fits, all required features are offered, all mandatory ones are asked for."""
        wanted = set(required)
        return system in self.systems and wanted <= self.features and self.mandatory <= wanted
