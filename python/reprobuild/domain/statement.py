"""What `reprobuild sign` says of an artifact: an in-toto statement, version 1, with a predicate of our own."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from reprobuild.domain.digest import Digest
from reprobuild.domain.value import CamelValue

Sha256Hex = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class SubjectDigest(CamelValue):
    sha256: Sha256Hex


class Subject(CamelValue):
    name: str = Field(description="path in the artifact, with `/`")
    digest: SubjectDigest


class ArtifactPredicate(CamelValue):
    artifact_id: str = Field(description="follows from name, version and the manifest's digest")
    name: str = Field(description="the model's, from its manifest")
    version: str = Field(description="the model's, from its manifest")
    manifest_sha256: Sha256Hex = Field(description="of `manifest.json`, hex")
    nar_hash: Digest = Field(description="of the artifact as a store path, SRI")
    record_sha256: Sha256Hex | None = Field(
        default=None, description="of the build record, hex; absent if not signed"
    )


class ArtifactStatement(CamelValue):
    type_: Literal["https://in-toto.io/Statement/v1"] = Field(
        default="https://in-toto.io/Statement/v1", alias="_type", description="in-toto Statement, version 1"
    )
    subject: tuple[Subject, ...] = Field(description="every file of the artifact, sorted by name")
    predicate_type: Literal["urn:reprobuild:artifact:1"] = "urn:reprobuild:artifact:1"
    predicate: ArtifactPredicate
