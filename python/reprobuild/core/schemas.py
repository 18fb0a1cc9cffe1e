"""What is published about the formats: JSON Schemas, and the defaults that the Nix library fills in."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel

from reprobuild.domain import spec as spec_module
from reprobuild.domain.archive import ArchiveDocument
from reprobuild.domain.attestation import Attestation
from reprobuild.domain.baseline import Baseline
from reprobuild.domain.checklist import Checklist
from reprobuild.domain.cuda import CudaTable
from reprobuild.domain.difference import Difference
from reprobuild.domain.hardware import HardwareProfile
from reprobuild.domain.lineage import Lineage
from reprobuild.domain.lock import Lock
from reprobuild.domain.record import BuildRecord
from reprobuild.domain.signing_key import SigningKey
from reprobuild.domain.spec import Spec
from reprobuild.domain.statement import ArtifactStatement
from reprobuild.domain.trust import TrustFile
from reprobuild.domain.verdict import Verdict

_SECTIONS: dict[str, type[BaseModel]] = {
    "model": spec_module.Model,
    "base": spec_module.Base,
    "python": spec_module.Python,
    "cuda": spec_module.Cuda,
    "driver": spec_module.Driver,
    "hardware": spec_module.Hardware,
    "numerics": spec_module.Numerics,
    "dataset": spec_module.Dataset,
    "stage": spec_module.Stage,
    "metric": spec_module.Metric,
    "artifact": spec_module.Artifact,
}


def spec_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of `reprobuild.toml`, read as JSON."""
    return _published("reprobuild.toml", Spec)


def lock_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of `reprobuild.lock`."""
    return _published("reprobuild.lock", Lock)


def record_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a build record."""
    return _published("build record", BuildRecord)


def baseline_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of `reprobuild.baseline.json`."""
    return _published("reprobuild.baseline.json", Baseline)


def hardware_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a hardware profile."""
    return _published("hardware profile", HardwareProfile)


def verdict_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a rebuild's verdict."""
    return _published("verdict", Verdict, mode="serialization")


def diff_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of what differs between two models."""
    return _published("difference", Difference, mode="serialization")


def lineage_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of what something was made of and flowed into."""
    return _published("lineage", Lineage, mode="serialization")


def cuda_table_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of `nix/lib/cuda.json`."""
    return _published("CUDA table", CudaTable)


def archive_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of an archive's `archive.json`."""
    return _published("archive.json", ArchiveDocument)


def trust_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a trust file, read as JSON."""
    return _published("trust file", TrustFile)


def statement_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of what `reprobuild sign` signs."""
    return _published("artifact statement", ArtifactStatement)


def attestation_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of what `reprobuild attest` signs."""
    return _published("attestation", Attestation)


def checklist_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a checklist, read as JSON."""
    return _published("checklist", Checklist)


def key_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of what is kept of a signing key, besides its secret."""
    return _published("signing key", SigningKey)


def _published(
    title: str, model: type[BaseModel], mode: Literal["validation", "serialization"] = "validation"
) -> dict[str, Any]:
    schema = model.model_json_schema(by_alias=True, mode=mode)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": title}


def spec_defaults() -> dict[str, dict[str, Any]]:
    """Section → key → value where a spec leaves the key out, sorted. Keys without a default are absent."""
    defaults: dict[str, dict[str, Any]] = {}
    for section, model in sorted(_SECTIONS.items()):
        values = {
            name: field.get_default()
            for name, field in sorted(model.model_fields.items())
            if not field.is_required() and field.get_default() is not None
        }
        defaults[section] = {
            name: list(value) if isinstance(value, tuple) else value for name, value in values.items()
        }
    return defaults
