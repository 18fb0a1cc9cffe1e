"""The entry of a builder: what its user says of it, then what was measured there, then what was known before."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from reprobuild.core.builder_lines import MANDATORY, nix_systems
from reprobuild.core.gpu_features import is_hardware
from reprobuild.core.offers import in_short
from reprobuild.core.ssh_destination import ssh_destination
from reprobuild.domain.builder_facts import BuilderFacts
from reprobuild.domain.hardware import HardwareProfile
from reprobuild.domain.machine import Machine
from reprobuild.errors import UsageError

_PORT = re.compile(r"://[^/?\[\]]*:(\d+)(?:[/?]|$)")


@dataclass(frozen=True)
class BuilderWish:
    """What the user says of a builder; empty or None: as it is measured, was before, or Nix's default."""

    address: str
    features: tuple[str, ...] = ()
    mandatory: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    jobs: int | None = None
    speed: int | None = None
    ssh_key: str | None = None
    host_key: str | None = None  # base64, as in a machines file


@dataclass(frozen=True)
class Measured:
    """What was found on a builder; None: it could not be asked for it."""

    facts: BuilderFacts | None = None
    profile: HardwareProfile | None = None


def builder_uri(address: str) -> str:
    """The store address of a builder; a bare host is reached by Nix's own protocol over ssh.

    Raises:
        UsageError: it has a port, which Nix's older releases take for a part of the name; or is no address.
    """
    uri = address if "://" in address else f"ssh-ng://{address}"
    if found := _PORT.search(uri):
        raise UsageError(
            f"{address}: Nix does not understand a port in the address of a builder",
            expected="ssh-ng://USER@HOST",
            actual=address,
            hint=f"put `Port {found[1]}` for this host into ~/.ssh/config",
        )
    ssh_destination(uri)
    return uri


def builder_entry(wish: BuilderWish, measured: Measured, before: Machine | None, this_system: str) -> Machine:
    """
    Args:
        before: its entry until now. Keys, jobs and speed stay as they were if nothing else is said; features and
            systems too, if they could not be measured.
    """
    features = {*wish.features, *wish.mandatory, *_features(measured, before)}
    mandatory = frozenset(wish.mandatory or (_mandatory_before(measured, before) & features))
    return Machine(
        uri=builder_uri(wish.address),
        systems=wish.systems or _systems(measured, before) or (this_system,),
        supported=frozenset(features) - mandatory,
        mandatory=mandatory,
        ssh_key=wish.ssh_key or (before.ssh_key if before else None),
        host_key=wish.host_key or (before.host_key if before else None),
        max_jobs=wish.jobs or (before.max_jobs if before else _jobs(measured, features)),
        speed_factor=wish.speed or (before.speed_factor if before else 1),
    )


def to_do_there(machine: Machine, measured: Measured) -> Iterator[str]:
    """What stands between the entry and builds on that machine, one sentence each."""
    if measured.facts is None:
        return
    if measured.facts.nix_version is None:
        yield "there is no Nix that commands over ssh would find: install it there"
        return
    if missing := sorted(machine.features - set(measured.facts.words("system-features"))):
        yield f"its nix.conf does not offer {in_short(missing)}: run `reprobuild builder setup` there"
    if measured.profile is None:
        yield "its hardware was not measured, for there is no python3: name its features with --feature"


def _features(measured: Measured, before: Machine | None) -> frozenset[str]:
    """Hardware as it was measured, the rest as its Nix offers it."""
    if measured.facts is None or measured.facts.nix_version is None:
        configured = before.features if before else frozenset()
    else:
        configured = frozenset(measured.facts.words("system-features"))
    if measured.profile is None:
        return configured
    return frozenset(measured.profile.features) | {one for one in configured if not is_hardware(one)}


def _mandatory_before(measured: Measured, before: Machine | None) -> frozenset[str]:
    """A machine with a GPU is kept for builds that ask for one, if nobody has said otherwise."""
    if before is not None:
        return before.mandatory
    return frozenset({MANDATORY}) if measured.profile is not None else frozenset()


def _systems(measured: Measured, before: Machine | None) -> tuple[str, ...]:
    if measured.facts is not None and (system := measured.facts.words("system")):
        return (*system, *measured.facts.words("extra-platforms"))
    if measured.profile is not None:
        return nix_systems(measured.profile)
    return before.systems if before else ()


def _jobs(measured: Measured, features: set[str]) -> int:
    """As its Nix does by itself; one at a time where there is a GPU, for a stage sees all of them."""
    configured = measured.facts.settings.get("max-jobs", "") if measured.facts else ""
    return max(int(configured), 1) if configured.isdigit() and MANDATORY not in features else 1
