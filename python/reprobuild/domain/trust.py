"""The trust file as a JSON Schema; `reprobuild_verify` reads it, without pydantic."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from reprobuild.domain.value import Value

TrustedAlgorithm = Literal["ed25519", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521"]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
Names = Annotated[
    tuple[Annotated[str, Field(min_length=1)], ...],
    Field(min_length=1, json_schema_extra={"uniqueItems": True}),
]


class TrustRevocation(Value):
    on: Day
    reason: str


class TrustKey(Value):
    algorithm: TrustedAlgorithm = Field(description="must be the key's own")
    public_key: str = Field(description="PEM, SubjectPublicKeyInfo")
    expires: Day = Field(
        default="", description="from the start of this day, UTC, its signatures do not count"
    )
    revoked: TrustRevocation | None = Field(default=None, description="none of its signatures counts")


class TrustRule(Value):
    models: Names = Field(description="names of models; `*` stands for any characters")
    predicates: Names = Field(description="predicate types; `*` stands for any characters")
    keys: Names = Field(description="names of keys that may sign them")
    threshold: int = Field(ge=1, description="how many different ones of them must have signed")
    required: bool = Field(
        default=False, description="a statement of each of `predicates` must be there, so none with `*`"
    )


class TrustFile(Value):
    schema_: Literal["reprobuild.trust/1"] = Field(alias="schema")
    expires: Day = Field(default="", description="from the start of this day, UTC, nothing is trusted")
    keys: dict[str, TrustKey] = Field(description="name → key")
    rules: tuple[TrustRule, ...] = Field(
        min_length=1, description="every one that covers a statement must hold"
    )
