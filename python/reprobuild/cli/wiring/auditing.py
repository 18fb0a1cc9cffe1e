"""Services that answer an auditor: compare, verify, list, sign."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from reprobuild.cli.wiring.building import Building
from reprobuild.cli.wiring.places import cache_home

if TYPE_CHECKING:
    from reprobuild.domain.machine import Machine
    from reprobuild.ports import StoreSigner
    from reprobuild.services.attest import AttestService
    from reprobuild.services.composed import Composed
    from reprobuild.services.diff import DiffService
    from reprobuild.services.keys import KeyService
    from reprobuild.services.known_builds import KnownBuilds
    from reprobuild.services.lineage import LineageService
    from reprobuild.services.project import Project
    from reprobuild.services.report import ReportService
    from reprobuild.services.sbom import SbomService
    from reprobuild.services.side import Sides
    from reprobuild.services.verify import VerifyService


class Auditing(Building):
    """Services that answer an auditor: compare, verify, list, sign."""

    def verify_service(self, builders: Sequence[str] = ()) -> VerifyService:
        from reprobuild.adapters.diffoscope import Diffoscope
        from reprobuild.adapters.nix.realise import NixBuilder
        from reprobuild.services.rebuild import Rebuilder
        from reprobuild.services.verify import VerifyService

        view = self.build_view

        def on_machine(project: Project, machine: Machine) -> Rebuilder:
            builder = self.remote_builder(project, machine)
            return Rebuilder(builder, self.store, view, self.log_file, Diffoscope(), machine.name)

        return VerifyService(
            build=self.build_service(builders=builders),
            store=self.store,
            records=self.records,
            rebuilder=Rebuilder(NixBuilder(), self.store, view, self.log_file, Diffoscope()),
            new_view=view,
            remote_rebuilder=on_machine,
        )

    def sides(self) -> Sides:
        from reprobuild.adapters import git
        from reprobuild.adapters.diffoscope import Diffoscope
        from reprobuild.services.side import Sides

        view = self.build_view
        return Sides(self.build_service(), self.store, self.records, git.export, view, Diffoscope())

    def diff_service(self, trust: Path | None = None) -> DiffService:
        """
        Args:
            trust: file that says who may sign statements.
        """
        from datetime import UTC, datetime

        from reprobuild.adapters.nix.evaluate import read_drv
        from reprobuild.services.diff import DiffService
        from reprobuild.services.snapshot import Snapshots

        signers = None
        if trust is not None:
            from reprobuild.services.trusted import signers_by

            signers = signers_by(trust, datetime.now(UTC))
        return DiffService(Snapshots(self.sides(), self.store.closure, self.store.deriver, signers), read_drv)

    def sbom_service(self) -> SbomService:
        from reprobuild.adapters.licence_texts import LicenceFiles
        from reprobuild.services.sbom import SbomService

        return SbomService(LicenceFiles(), cache_home())

    def attest_service(self) -> AttestService:
        from reprobuild.adapters.nix.evaluate import read_drv
        from reprobuild.services.attest import AttestService

        return AttestService(self.records, self.sbom_service(), read_drv)

    def report_service(self) -> ReportService:
        from datetime import UTC, datetime

        from reprobuild.services.report import ReportService

        diff = self.diff_service().run
        return ReportService(self.sbom_service(), self.records.files_of_model, diff, datetime.now(UTC))

    @cached_property
    def known_builds(self) -> KnownBuilds:
        from reprobuild.services.known_builds import KnownBuilds

        return KnownBuilds(self.records)

    def composed(self) -> Composed:
        from reprobuild.services.composed import Composed

        return Composed(self.known_builds, self.hasher)

    def lineage_service(self) -> LineageService:
        from reprobuild.services.lineage import LineageService

        return LineageService(self.known_builds, self.hasher)

    def store_signer(self) -> StoreSigner:
        from reprobuild.adapters.nix.sign import NixSigner

        return NixSigner()

    def key_service(self) -> KeyService:
        from datetime import UTC, datetime

        from reprobuild.adapters.key_store import FileKeyStore, key_folder
        from reprobuild.services.keys import KeyService

        return KeyService(FileKeyStore(key_folder()), datetime.now(UTC).date().isoformat())
