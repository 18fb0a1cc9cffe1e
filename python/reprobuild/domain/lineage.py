"""What `reprobuild lineage` says: what something was made of, and what it flowed into.

Format page: docs/formats/lineage.md.
"""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from reprobuild.domain.digest import Digest
from reprobuild.domain.value import Value

LINEAGE_SCHEMA: Final = "reprobuild.lineage/1"

PartKind = Literal["model", "stage", "code", "commit", "data", "wheel", "deb", "tool", "compiler", "seed"]


class Part(Value):
    """One thing that a build read or made."""

    node: str = Field(description="its name in the dependency graph, such as `wheel numpy 2.4.6`")
    kind: PartKind
    name: str
    version: str | None = None
    sha256: Digest | None = Field(default=None, description="of the file; of the NAR for a seed")
    nar_hash: Digest | None = Field(default=None, description="of what a build made")
    size_bytes: int | None = Field(default=None, description="of the file, or of the NAR")
    store_path: str | None = None
    drv_path: str | None = Field(default=None, description="derivation of what a build made")
    file_name: str | None = Field(default=None, description="as published")
    path: str | None = Field(default=None, description="file inside the project (data)")
    deb_sha256: Digest | None = Field(default=None, description="the package that a seed is taken out of")
    artifact_id: str | None = Field(default=None, description="of a model")


class Affected(Value):
    """One output that something flowed into."""

    part: Part
    model: str = Field(description="name and version of the model that it is, or was built for")
    built: str | None = Field(description="end of the last build that knows it, UTC; null: of no record")
    known_by: tuple[str, ...] = Field(description="build records (file names), oldest first, or the artifact")
    by_way_of: tuple[str, ...] = Field(description="the shortest path from it to what was asked for")


class MadeOf(Value):
    """One thing that what was asked for is made of."""

    part: Part
    through: tuple[str, ...] = Field(
        description="models on the way, whose files were data of the next; empty: a direct input"
    )


class Known(Value):
    """One thing that builds here made, or data that they read, by its content."""

    part: Part
    first: str = Field(description="end of the first build that knows it, UTC")
    last: str = Field(description="end of the last one")
    builds: int = Field(description="how many know it")


class NotKnown(Value):
    """A build that cannot be judged."""

    build: str = Field(description="file name of the record")
    model: str | None = Field(description="name and version; null: it cannot be read")
    reason: str


class Lineage(Value):
    schema_: Literal["reprobuild.lineage/1"] = Field(default=LINEAGE_SCHEMA, alias="schema")
    asked: str = Field(description="what was asked for")
    sha256: Digest | None = Field(
        description="of the file that was named; null: a name, a digest or a folder"
    )
    found: tuple[Part, ...] = Field(description="what was understood by it, in all builds")
    namesakes: tuple[Part, ...] = Field(
        description="where nothing has the named file's content: what has its name, with other content"
    )
    made_of: tuple[MadeOf, ...] | None = Field(description="null: not asked for")
    flowed_into: tuple[Affected, ...] | None = Field(description="null: not asked for")
    builds: int = Field(description="how many builds are known here")
    not_known: tuple[NotKnown, ...] = Field(description="builds whose inputs are not known")
