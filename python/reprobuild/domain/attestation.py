"""What `reprobuild attest` says of an artifact: in-toto statements, version 1, with predicates of others.

Format page: docs/formats/attestation.md.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field, RootModel

from reprobuild.domain.statement import Subject
from reprobuild.domain.value import CamelValue

PROVENANCE: Final = "https://slsa.dev/provenance/v1"
TEST_RESULT: Final = "https://in-toto.io/attestation/test-result/v0.1"
SCAI: Final = "https://in-toto.io/attestation/scai/v0.3"
CYCLONEDX: Final = "https://cyclonedx.org/bom"
PREDICATES: Final = (PROVENANCE, TEST_RESULT, SCAI, CYCLONEDX)
BUILD_TYPE: Final = "urn:reprobuild:build:1"
BUILDER_ID: Final = "urn:reprobuild:builder:1"
NAR: Final = "application/x-nix-nar"


class Resource(CamelValue):
    """in-toto's ResourceDescriptor, as far as it is used here."""

    name: str
    uri: str | None = Field(default=None, description="package URL, where there is one")
    digest: dict[str, str] | None = Field(default=None, description="algorithm → hex")
    media_type: str | None = Field(
        default=None, description="`application/x-nix-nar`: the digest is of the archive that Nix makes of it"
    )
    annotations: dict[str, Any] | None = None


class ExternalParameters(CamelValue):
    """What the people who asked for the build chose."""

    spec: dict[str, Any] = Field(description="the effective spec, as in the artifact's `spec.json`")
    overrides: dict[str, Any] = Field(description="what `--set` laid over the spec file; part of `spec`")
    lock: Resource = Field(description="the artifact's `reprobuild.lock`")


class InternalParameters(CamelValue):
    """What follows from the external ones and the release of reprobuild."""

    derivations: dict[str, str] = Field(description="stage, or `model` → derivation")
    commit: str | None = Field(default=None, description="git commit that the project's folder was at")
    dirty: bool | None = Field(default=None, description="spec, lock or code were not as in that commit")


class BuildDefinition(CamelValue):
    build_type: Literal["urn:reprobuild:build:1"] = BUILD_TYPE
    external_parameters: ExternalParameters
    internal_parameters: InternalParameters
    resolved_dependencies: tuple[Resource, ...] = Field(
        description="everything that Nix takes in from outside: each fixed output and each source of the closure"
    )


class Builder(CamelValue):
    id: Literal["urn:reprobuild:builder:1"] = BUILDER_ID
    version: dict[str, str] = Field(description="`reprobuild`: its release")
    builder_dependencies: tuple[Resource, ...] = Field(
        description="Nix, on the machine that asked for the build"
    )


class BuildMetadata(CamelValue):
    invocation_id: str = Field(description="`urn:sha256:` and the SHA-256 (hex) of the build record")
    started_on: str = Field(description="UTC, RFC 3339")
    finished_on: str = Field(description="UTC, RFC 3339")


class RunDetails(CamelValue):
    builder: Builder
    metadata: BuildMetadata
    byproducts: tuple[Resource, ...] = Field(description="the record, outputs of the stages, and logs")


class Provenance(CamelValue):
    build_definition: BuildDefinition
    run_details: RunDetails


class TestResult(CamelValue):
    result: Literal["PASSED", "WARNED", "FAILED"]
    configuration: tuple[Resource, ...] = Field(
        description="spec with its goals, metrics as measured, verdict"
    )
    passed_tests: tuple[str, ...]
    warned_tests: tuple[str, ...]
    failed_tests: tuple[str, ...]


class AttributeAssertion(CamelValue):
    attribute: Literal["HOST", "HARDWARE", "NUMERICS"]
    target: Resource = Field(description="output of the stage that it was measured in")
    conditions: dict[str, Any] = Field(description="what was measured, as in the build record")
    evidence: Resource = Field(description="the build record")


class AttributeReport(CamelValue):
    attributes: tuple[AttributeAssertion, ...]


class _Statement(CamelValue):
    type_: Literal["https://in-toto.io/Statement/v1"] = Field(
        default="https://in-toto.io/Statement/v1", alias="_type", description="in-toto Statement, version 1"
    )
    subject: tuple[Subject, ...] = Field(
        min_length=1, description="every file of the artifact, sorted by name"
    )


class ProvenanceStatement(_Statement):
    predicate_type: Literal["https://slsa.dev/provenance/v1"] = PROVENANCE
    predicate: Provenance


class TestResultStatement(_Statement):
    predicate_type: Literal["https://in-toto.io/attestation/test-result/v0.1"] = TEST_RESULT
    predicate: TestResult


class AttributeStatement(_Statement):
    predicate_type: Literal["https://in-toto.io/attestation/scai/v0.3"] = SCAI
    predicate: AttributeReport


class BomStatement(_Statement):
    predicate_type: Literal["https://cyclonedx.org/bom"] = CYCLONEDX
    predicate: dict[str, Any] = Field(description="CycloneDX 1.6, as `reprobuild sbom RESULT` prints it")


Statement = ProvenanceStatement | TestResultStatement | AttributeStatement | BomStatement


class Attestation(RootModel[Annotated[Statement, Field(discriminator="predicate_type")]]):
    """One line of what `reprobuild attest` signs."""

    model_config = ConfigDict(defer_build=True)
