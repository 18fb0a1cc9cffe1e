"""How a builder's Nix is set up, as its own commands say it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class BuilderFacts:
    """
    Args:
        ahead_s: by how much its clock is ahead of ours, as well as it could be told.
        nix_version: such as `2.8.0`; None: no Nix there.
        writes_store: the user there writes the store without a daemon.
        hook_runs: its `pre-build-hook` is a file that can be run.
        settings: some of its nix.conf, as `nix show-config` prints them.
    """

    ahead_s: float
    user: str
    groups: tuple[str, ...] = ()
    cores: int = 1
    has_python: bool = False
    nix_version: str | None = None
    store_dir: str = ""
    free_bytes: int = 0
    writes_store: bool = False
    hook_runs: bool = False
    settings: dict[str, str] = field(default_factory=dict)

    def words(self, setting: str) -> tuple[str, ...]:
        """A setting that is a list."""
        return tuple(self.settings.get(setting, "").split())

    @property
    def max_jobs(self) -> int:
        """How many builds it runs at once: as its setting says, one per core where that is Nix's default of one."""
        configured = self.settings.get("max-jobs", "1")
        return int(configured) if configured.isdigit() and configured != "1" else self.cores

    @property
    def isolates(self) -> bool:
        """Whether its configuration alone puts every build into Nix's sandbox, or else fails."""
        return self.settings.get("sandbox") == "true" and self.settings.get("sandbox-fallback") == "false"

    @property
    def trusts_us(self) -> bool:
        """Whether this user may add paths there that no trusted key has signed."""
        trusted = {"*", self.user, *(f"@{group}" for group in self.groups)}
        return self.writes_store or not trusted.isdisjoint(self.words("trusted-users"))
