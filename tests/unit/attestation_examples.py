"""A built artifact with its record, lock and derivations, for what is attested of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
from in_toto_attestation.predicates.scai.v0 import scai_pb2
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2

from reprobuild.adapters.licence_texts import LicenceFiles
from reprobuild.adapters.record_store import FileRecordStore
from reprobuild.domain import attestation
from reprobuild.domain.digest import Digest
from reprobuild.domain.drv import DrvFile, FixedHash
from reprobuild.domain.lock import LOCK_FILE, Lock
from reprobuild.domain.record import BuildRecord, OutputRecord
from reprobuild.services.artifact import read_manifest
from reprobuild.services.attest import Attested, AttestService
from reprobuild.services.sbom import SbomService

from .sbom_examples import PIN, SOURCES, TORCH_SPEC, source
from .signing_examples import write_files

SEED = source("seed", "busybox-static", "1.35").model_copy(
    update={"mode": "recursive", "deb_sha256": Digest.of_bytes(b"the package")}
)
PINS = (*SOURCES, SEED)
HOST = {"python": "3.11.2", "cpu_model": "Xeon", "cpu_count": 2}
HARDWARE = {
    "schema": "reprobuild.hardware-profile/1",
    "driver": {"version": "580.65.06"},
    "cuda_devices": None,
}
NUMERICS = {"torch": "2.13.0+cpu", "cpu_capability": "AVX512", "threads": 2}

# predicate type → what those who made the format read it with
PARSERS = {
    attestation.PROVENANCE: provenance_pb2.Provenance,
    attestation.TEST_RESULT: test_result_pb2.TestResult,
    attestation.SCAI: scai_pb2.AttributeReport,
}


def drv(
    name: str, *needs: str, sources: tuple[str, ...] = (), fixed: FixedHash | None = None, out: str = ""
) -> DrvFile:
    return DrvFile(
        outputs={"out": out or f"/nix/store/{'0' * 32}-{name}"},
        input_drvs={f"{one}.drv": ("out",) for one in needs},
        input_srcs=sources,
        system="x86_64-linux",
        builder="/bin/sh",
        arguments=(),
        environment={},
        fixed_hashes={"out": fixed} if fixed else {},
    )


@dataclass
class BuiltArtifact:
    """`digits`, with a record of a build that ran both stages; one source is not in the lock."""

    folder: Path
    spec: dict[str, Any] = field(
        default_factory=lambda: TORCH_SPEC.model_dump(mode="json", by_alias=True, exclude_none=True)
    )
    metrics: dict[str, float] = field(default_factory=lambda: {"accuracy": 0.975})
    changes: dict[str, Any] = field(default_factory=dict)  # of the record
    drvs: dict[str, DrvFile] = field(init=False)

    def __post_init__(self) -> None:
        code = self.folder / f"{'0' * 32}-train-code"
        code.mkdir()
        (code / "train.py").write_text("steps = 3\n")
        fixed = {
            f"source-{number}": drv(
                pin.file_name,
                fixed=FixedHash("sha256", pin.sha256.hex, pin.mode == "recursive"),
                out=pin.store_path,
            )
            for number, pin in enumerate(PINS)
        }
        fixed["bootstrap"] = drv("bootstrap.tar.xz", fixed=FixedHash("sha512", "ab" * 64, recursive=False))
        self.drvs = {
            "model.drv": drv("digits", "train"),
            "train.drv": drv("train", *fixed, sources=(str(code),)),
            **{f"{name}.drv": one for name, one in fixed.items()},
        }
        files = {
            "README.md": b"# digits\n",
            "weights.safetensors": b"weights",
            "metrics.json": json.dumps(self.metrics).encode(),
            "spec.json": json.dumps(self.spec).encode(),
            LOCK_FILE: Lock(inputs={}, systems={"x86_64-linux": PIN}, sources=PINS).to_text().encode(),
        }
        write_files(self.result, files)
        self.record_file = FileRecordStore(self.folder / "records").write(self.record())

    @property
    def result(self) -> Path:
        return self.folder / "result"

    @property
    def artifact_id(self) -> str:
        return read_manifest(self.result).artifact_id

    def record(self) -> BuildRecord:
        def output(label: str, **fields: Any) -> OutputRecord:
            made: dict[str, Any] = {
                "drv_path": f"{label}.drv",
                "out_path": f"/nix/store/{'1' * 32}-{label}",
                "nar_hash": Digest.of_bytes(label.encode()),
                "status": "built",
                "log_digest": Digest.of_bytes(b"log").hex,
            }
            return OutputRecord(label=label, **made | fields)

        fields: dict[str, Any] = {
            "model": "digits",
            "version": "1.0.0",
            "artifact_id": self.artifact_id,
            "project": "/home/me/digits",
            "spec_digest": Digest.of_bytes(b"spec"),
            "lock_digest": Digest.of_bytes(b"lock"),
            "overrides": {"stages": {"train": {"params": {"lr": 0.1}}}},
            "spec": self.spec,
            "started": "2026-11-20T10:00:00.000Z",
            "finished": "2026-11-20T10:05:00.000Z",
            "status": "built",
            "reprobuild_version": "0.1.0",
            "host": {"host_name": "here", "nix_version": "2.28.3"},
            "outputs": (
                output("prepare", host=HOST),
                output("train", host=HOST, hardware=HARDWARE, numerics=NUMERICS),
                output("model"),
            ),
        }
        return BuildRecord(**fields | self.changes)

    def service(self) -> AttestService:
        records = FileRecordStore(self.folder / "records")
        return AttestService(records, SbomService(LicenceFiles(), self.folder / "cache"), self.read_drv)

    def read_drv(self, path: str) -> DrvFile:
        if path not in self.drvs:
            raise FileNotFoundError(2, "No such file or directory", path)
        return self.drvs[path]

    def attest(self, **options: Path) -> Attested:
        return self.service().statements(self.result, **options)

    def said(self, **options: Path) -> dict[str, Any]:
        """Predicate type → statement, as it is signed."""
        found = [json.loads(one) for one in self.attest(**options).payloads]
        return {one["predicateType"]: one for one in found}
