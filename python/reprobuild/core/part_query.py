"""What may people mean by a name: a wheel, a file, a digest in any spelling, a store path, a commit, an artifact?"""

from __future__ import annotations

import re
from dataclasses import dataclass

from packaging.utils import canonicalize_name

from reprobuild.domain.digest import Digest
from reprobuild.domain.lineage import Part

_COMMIT = re.compile(r"[0-9a-f]{7,64}\Z")
_NIX32_LENGTH = 52


@dataclass(frozen=True)
class PartQuery:
    """
    Args:
        word: this name, as people write it.
        digests: or any of these contents.
        commit: or a commit that begins with this.
    """

    word: str | None = None
    digests: frozenset[Digest] = frozenset()
    commit: str | None = None

    def matches(self, part: Part) -> bool:
        if not self.digests.isdisjoint(digests_of(part)):
            return True
        if part.kind == "commit":
            return self.commit is not None and part.name.startswith(self.commit)
        if self.word is None:
            return False
        names = words_of(part)
        return self.word in names or (part.kind in ("wheel", "tool") and _canonical(self.word) in names)


def query_of(text: str) -> PartQuery:
    """A name, as people write it: `numpy`, `wheel numpy 2.4.6`, `numpy==2.4.6`, a digest, a path, a commit."""
    digest = any_digest(text)
    if digest is not None:
        commit = text if _COMMIT.match(text) else None  # of a repository that names commits by SHA-256
        return PartQuery(digests=frozenset({digest}), commit=commit)
    commit = text.removeprefix("commit ")
    return PartQuery(word=text, commit=commit if _COMMIT.match(commit) else None)


def _canonical(requirement: str) -> str:
    name, equals, version = requirement.partition("==")
    return f"{canonicalize_name(name)}{equals}{version}"


def any_digest(text: str) -> Digest | None:
    """SHA-256 as SRI, as hex, or in Nix's base-32, the last two also after `sha256:`."""
    bare = text.removeprefix("sha256:")
    try:
        return Digest.of_nix32(bare) if len(bare) == _NIX32_LENGTH else Digest(text)
    except ValueError:
        return None


def words_of(part: Part) -> set[str]:
    """All names of a part."""
    versioned = (f"{part.name} {part.version}", f"{part.name}=={part.version}") if part.version else ()
    named = (part.file_name, part.store_path, part.path, part.drv_path, part.artifact_id)
    return {part.node, f"{part.kind} {part.name}", part.name, *versioned, *(one for one in named if one)}


def digests_of(part: Part) -> set[Digest]:
    return {one for one in (part.sha256, part.nar_hash, part.deb_sha256) if one is not None}
