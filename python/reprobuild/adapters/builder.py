"""A builder that is reached by ssh: its facts, its hardware, its sandbox. Implements ports.BuilderAccess."""

from __future__ import annotations

import os
import time
from functools import cache
from importlib import resources

from reprobuild.adapters.hardware_probe import read_profile
from reprobuild.adapters.nix.sandbox import sandbox_problem
from reprobuild.adapters.probe_zipapp import REMOTE_COMMAND, probe_zipapp
from reprobuild.adapters.resources import nix_library
from reprobuild.adapters.ssh import nix_environment, run_there
from reprobuild.core.builder_facts import parse_facts
from reprobuild.core.builder_findings import is_new_enough
from reprobuild.core.ssh_failure import no_nix, old_nix, ssh_failure
from reprobuild.domain.builder_facts import BuilderFacts
from reprobuild.domain.hardware import HardwareProfile
from reprobuild.domain.machine import Machine
from reprobuild.errors import BuilderError

PROBE_TIMEOUT_S = 180
PROBE_BYTES = 8 << 20


@cache
def usable_facts(machine: Machine) -> BuilderFacts:
    """How a builder is set up, asked once in a command.

    Raises:
        BuilderError: no connection, no Nix, or one that is too old.
    """
    facts = SshBuilders().facts(machine)
    if facts.nix_version is None:
        raise no_nix(machine.name)
    if not is_new_enough(facts.nix_version):
        raise old_nix(machine.name, facts.nix_version)
    return facts


def machine_at(address: str) -> Machine:
    """The machine at an address that no list of builders has, as its Nix offers it.

    Raises:
        UsageError: it is not reached by ssh.
        BuilderError.
    """
    bare = Machine(address, ())
    facts = usable_facts(bare)
    return Machine(
        uri=address,
        systems=(*facts.words("system"), *facts.words("extra-platforms")),
        supported=frozenset(facts.words("system-features")),
        max_jobs=facts.max_jobs,
    )


class SshBuilders:
    def facts(self, machine: Machine) -> BuilderFacts:
        script = resources.files("reprobuild.data.builder").joinpath("facts.sh").read_bytes()
        asked_s = time.time()
        text = run_there(machine, "sh -s", stdin=script)
        try:
            return parse_facts(text, asked_s=asked_s, answered_s=time.time())
        except ValueError as problem:
            raise BuilderError(
                f"builder {machine.name}: its shell printed something else than was asked",
                details=(str(problem), *text.splitlines()[:4]),
                hint="does a start-up file of its shell print something?",
            ) from None

    def profile(self, machine: Machine) -> HardwareProfile:
        text = run_there(machine, REMOTE_COMMAND, stdin=probe_zipapp(), timeout_s=PROBE_TIMEOUT_S)
        return read_profile(text, f"on {machine.name}")

    def upload_rate(self, machine: Machine) -> float:
        """By transfers of nothing and of something: the time to connect and log in does not count.

        The quickest of each counts, for other work makes them slower only. Never faster than can be told: what the
        two quickest connections differ by is the least time that a transfer takes.
        """
        self._upload_s(machine, 0)  # looks up names and wakes both sides
        empty_s = sorted(self._upload_s(machine, 0) for _ in range(3))
        full_s = min(self._upload_s(machine, PROBE_BYTES) for _ in range(2))
        return PROBE_BYTES / max(full_s - empty_s[0], empty_s[1] - empty_s[0], 1e-3)

    def _upload_s(self, machine: Machine, size_bytes: int) -> float:
        content = os.urandom(size_bytes)
        started_s = time.monotonic()
        run_there(machine, "cat >/dev/null", stdin=content, timeout_s=PROBE_TIMEOUT_S)
        return time.monotonic() - started_s

    def sandbox_problem(self, machine: Machine) -> str | None:
        problem = sandbox_problem(nix_library(), store=machine.store_uri, variables=nix_environment())
        if problem is not None and (unreachable := ssh_failure(machine.name, problem)):
            raise unreachable
        return problem
