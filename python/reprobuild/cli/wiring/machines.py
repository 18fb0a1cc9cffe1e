"""Services about machines: this one and builders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reprobuild.domain.hardware import HardwareProfile
    from reprobuild.services.builder_check import BuilderCheckService
    from reprobuild.services.builder_list import BuilderListService
    from reprobuild.services.builder_setup import BuilderSetup
    from reprobuild.services.doctor import DoctorService


class Machines:
    """Services about machines: this one and builders."""

    def hardware_probe(self) -> Callable[[], HardwareProfile]:
        from reprobuild.adapters.hardware_probe import measure_here

        return measure_here

    def builder_setup(self, root: Path) -> BuilderSetup:
        from reprobuild.adapters.resources import gpu_hook
        from reprobuild.services.builder_setup import BuilderSetup

        return BuilderSetup(gpu_hook(), root)

    def system_python(self) -> str:
        from reprobuild.adapters.system_python import system_python

        return system_python()

    def builder_list(self) -> BuilderListService:
        from reprobuild.adapters.builder import SshBuilders
        from reprobuild.adapters.nix import machines
        from reprobuild.services.builder_list import BuilderListService

        return BuilderListService(machines, SshBuilders(), lambda: machines.this_machine().systems[0])

    def builder_check(self) -> BuilderCheckService:
        from reprobuild.adapters.builder import SshBuilders
        from reprobuild.services.builder_check import BuilderCheckService

        return BuilderCheckService(SshBuilders())

    def doctor_service(self) -> DoctorService:
        from reprobuild.adapters import host_checks
        from reprobuild.services.doctor import DoctorService

        return DoctorService(host_checks.ALL)
