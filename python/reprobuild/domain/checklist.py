"""What people checked before a release: privacy, bias, regulation. Written by them, as TOML.

Format page: docs/formats/checklist.md.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from reprobuild.domain.value import Value


class ChecklistItem(Value):
    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="short, and once in the checklist")
    requirement: str = Field(min_length=1, description="what must be so, as a statement")
    conforms: Literal["yes", "no", "not applicable"]
    reason: str = Field(min_length=1, description="why that is the answer")
    evidence: tuple[str, ...] = Field(default=(), description="files of the artifact that show it")


class Checklist(Value):
    schema_: Literal["reprobuild.checklist/1"] = Field(alias="schema")
    name: str = Field(min_length=1, description="of the standard or the house's own list")
    version: str | None = Field(default=None, description="of the list")
    assessor: str = Field(min_length=1, description="who answered")
    third_party: bool = Field(default=False, description="the assessor is not of those who made the model")
    items: tuple[ChecklistItem, ...] = Field(min_length=1)

    @field_validator("items")
    @classmethod
    def _each_once(cls, items: tuple[ChecklistItem, ...]) -> tuple[ChecklistItem, ...]:
        ids = [item.id for item in items]
        if twice := sorted({one for one in ids if ids.count(one) > 1}):
            raise ValueError(f"the id {twice[0]} stands there twice")
        return items
