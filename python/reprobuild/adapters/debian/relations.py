"""What does a `Depends:` or `Provides:` field say?

Source: Debian Policy 7.1 "Syntax of relationship fields".
"""

from __future__ import annotations

import re

from reprobuild.core.deb_package import Alternatives, Relation
from reprobuild.errors import ResolveError

_RELATION = re.compile(
    r"(?P<name>[a-z0-9][a-z0-9+.-]*)(?::[a-z0-9-]+)?"  # `:any` says nothing within one architecture
    r"(?:\s*\(\s*(?P<operator><<|<=|=|>=|>>)\s*(?P<version>[^\s)]+)\s*\))?"
)


def parse_relations(text: str) -> tuple[Alternatives, ...]:
    """`a (>= 1), b | c` as ((a >= 1,), (b, c)).

    Raises:
        ResolveError: the field is not written as the policy says.
    """
    return tuple(
        tuple(_relation(one) for one in group.split("|")) for group in text.split(",") if group.strip()
    )


def _relation(text: str) -> Relation:
    match = _RELATION.fullmatch(text.strip())
    if match is None:
        raise ResolveError(
            "package index: a relation between packages cannot be read",
            expected="NAME or NAME (OPERATOR VERSION)",
            actual=text.strip(),
            actual_from="package index",
            hint="report this together with the suite's name",
        )
    return Relation(match["name"], match["operator"] or "", match["version"] or "")
