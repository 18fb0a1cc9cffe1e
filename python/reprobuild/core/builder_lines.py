"""What does a machine's configuration say, so that Nix knows what it offers? Ready lines out of its profile."""

from __future__ import annotations

from reprobuild.domain.hardware import HardwareProfile
from reprobuild.domain.machine import Machine

# A builder with this one as mandatory feature gets no builds but those that ask for a GPU.
MANDATORY = "cuda"


def nix_conf_line(profile: HardwareProfile) -> str:
    """For `nix.conf` of the machine itself; empty where it offers nothing.

    `extra-`, because `system-features` would replace what Nix finds out by itself.
    """
    return f"extra-system-features = {' '.join(profile.features)}" if profile.features else ""


def nix_systems(profile: HardwareProfile) -> tuple[str, ...]:
    """Its system, and those of the x86-64 levels that it has: stages of a portable model ask for level 3."""
    architecture, _, kernel = profile.system.partition("-")
    top = (profile.cpu.isa_level or "").rpartition("-v")[2]
    levels = range(1, int(top) + 1) if top else ()
    return (profile.system, *(f"{architecture}-v{level}-{kernel}" for level in levels))


def offered_machine(profile: HardwareProfile) -> Machine:
    """The machine as an entry of a machines file; its address is a guess out of its host name.

    One job at a time, whatever the number of GPUs: a stage sees all of them.
    """
    mandatory = frozenset({MANDATORY} & {*profile.features})
    return Machine(
        uri=f"ssh-ng://{profile.host_name}",
        systems=nix_systems(profile),
        supported=frozenset(profile.features) - mandatory,
        mandatory=mandatory,
    )
