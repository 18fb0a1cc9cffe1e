"""What all checked values share."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Value(BaseModel):
    """A frozen value that refuses unknown keys; `schema_` is spelled `schema` outside.

    Its validator is made when the first value is: a command pays for those formats that it reads, not for all that
    its imports reach.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, defer_build=True)


class CamelValue(Value):
    """Keys as in-toto spells them, such as `predicateType`."""

    model_config = ConfigDict(alias_generator=to_camel)
