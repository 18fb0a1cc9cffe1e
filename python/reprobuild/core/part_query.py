"""What may people mean by a name: a wheel, a file, a digest in any spelling, a store path, a commit, an artifact?"""

from __future__ import annotations

import re
from dataclasses import dataclass

from packaging.utils import canonicalize_name

from reprobuild.domain.digest import Digest
from reprobuild.domain.lineage import Part
from reprobuild.errors import UsageError

_COMMIT = re.compile(r"[0-9a-f]{7,64}\Z")
_NIX32_LENGTH = 52
_PACKAGE = re.compile(r"\s*(wheel |tool )?\s*([A-Za-z0-9][\w.-]*)(?:(\s*==\s*|\s+)([^\s=]+))?\s*", re.ASCII)
_RANGE = re.compile(r"\s*([A-Za-z0-9][\w.-]*)\s*(?:\[.*\])?\s*(?:===|~=|!=|[<>]|==.*[*,])", re.ASCII)


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


def one_version(text: str) -> str:
    """The text, if it may name something; a requirement such as `numpy<2` names many things, or none.

    Raises:
        UsageError: it is such a requirement. "No part of it" would be taken for an all-clear.
    """
    if found := _RANGE.match(text):
        raise UsageError(
            f"{text}: a range of versions names nothing",
            expected="a name, or a name and one version",
            actual=text,
            hint=f"ask for `{found[1]}`, of whatever version, or for `{found[1]}==VERSION`",
        )
    return text


def _canonical(text: str) -> str:
    """Names of wheels and tools in one spelling, also with kind and version."""
    if (found := _PACKAGE.fullmatch(text)) is None:
        return text
    kind, name, equals, version = found.groups()
    joint = "==" if equals and equals.strip() and not kind else " "
    return f"{kind or ''}{canonicalize_name(name)}{joint + version if version else ''}"


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
