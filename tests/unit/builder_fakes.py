"""A builder behind ports.BuilderAccess that says what a test wants, and machines files in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reprobuild.core.machines_file import Entry, parse_machines
from reprobuild.domain.builder_facts import BuilderFacts
from reprobuild.domain.hardware import Cpu, HardwareProfile
from reprobuild.domain.machine import Machine
from reprobuild.errors import ReprobuildError

FACTS = BuilderFacts(
    ahead_s=0.0,
    user="me",
    has_python=True,
    nix_version="2.8.0",
    store_dir="/nix/store",
    free_bytes=10**11,
    settings={
        "system": "x86_64-linux",
        "extra-platforms": "x86_64-v3-linux",
        "system-features": "kvm",
        "max-jobs": "4",
        "trusted-users": "root me",
    },
)


def gpu_profile(*features: str) -> HardwareProfile:
    return HardwareProfile(
        schema_="reprobuild.hardware-profile/1",
        host_name="gpu1",
        system="x86_64-linux",
        cpu=Cpu(model=None, isa_level=None, logical_cores=1),
        memory_bytes=1,
        driver=None,
        cuda_devices=None,
        gpus=(),
        not_available={},
        features=features,
    )


@dataclass
class FakeBuilders:
    """ports.BuilderAccess"""

    known: BuilderFacts
    hardware: HardwareProfile = field(default_factory=gpu_profile)
    sandbox: str | None = None
    bytes_per_s: float = 1e8
    error: ReprobuildError | None = None
    asked: list[Machine] = field(default_factory=list)

    def facts(self, machine: Machine) -> BuilderFacts:
        self.asked.append(machine)
        if self.error is not None:
            raise self.error
        return self.known

    def profile(self, machine: Machine) -> HardwareProfile:
        assert self.known.has_python, "the probe is a Python program"
        return self.hardware

    def upload_rate(self, machine: Machine) -> float:
        return self.bytes_per_s

    def sandbox_problem(self, machine: Machine) -> str | None:
        return self.sandbox


@dataclass
class FakeFiles:
    """ports.MachinesFiles: the user's file, and one that stands for Nix's own."""

    texts: dict[str, str] = field(default_factory=dict)

    def user_file(self) -> Path:
        return Path("/home/me/machines")

    def known_machines(self, file: Path | None = None) -> Sequence[Entry]:
        files = [file] if file else [self.user_file(), Path("/etc/nix/machines")]
        return [
            entry
            for one in files
            for entry in parse_machines(
                self.read_text(one), str(one), this_system="x86_64-linux", read=lambda name: ""
            )
        ]

    def read_text(self, file: Path) -> str:
        return self.texts.get(str(file), "")

    def write_text(self, file: Path, text: str) -> None:
        self.texts[str(file)] = text
