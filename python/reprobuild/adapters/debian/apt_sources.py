"""Which Debian mirrors does apt use on this host?

Reads one-line and deb822 source lists, and `mirror+file:` lists. Entries of other archives (security,
backports only, third parties) are left out as far as can be seen; a wrong guess costs a request, never trust.

Source: sources.list(5), apt-transport-mirror(1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote

_SUITES = frozenset(
    {
        "bullseye",
        "bookworm",
        "trixie",
        "forky",
        "sid",
        "oldoldstable",
        "oldstable",
        "stable",
        "testing",
        "unstable",
    }
)
_LINE = re.compile(r"deb\s+(?:\[(?P<options>[^\]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<components>.+)")
_SIGNED_BY = re.compile(r"(?:^|\s)signed-by=(\S+)", re.IGNORECASE)


def apt_mirrors(folder: Path) -> list[tuple[str, Path]]:
    """(address, file that names it), in apt's order of reading; files that cannot be read are passed over."""
    files = [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]
    found: list[tuple[str, Path]] = []
    for file in files:
        if file.suffix not in (".list", ".sources"):
            continue
        try:
            text = file.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        uris = _deb822(text) if file.suffix == ".sources" else _one_line(text)
        found += [(url, file) for uri in uris for url in _addresses(uri)]
    return found


def _one_line(text: str) -> Iterator[str]:
    for line in text.splitlines():
        match = _LINE.fullmatch(line.split("#", 1)[0].strip())
        if match is None:
            continue
        signed_by = _SIGNED_BY.search(match["options"] or "")
        if _is_debian([match["suite"]], match["components"].split(), signed_by[1] if signed_by else ""):
            yield match["uri"]


def _deb822(text: str) -> Iterator[str]:
    for stanza in re.split(r"\n\s*\n", text):
        fields = _fields(stanza)
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() in (
            "no",
            "false",
        ):
            continue
        signed_by = fields.get("signed-by", "")
        if _is_debian(fields.get("suites", "").split(), fields.get("components", "").split(), signed_by):
            yield from fields.get("uris", "").split()


def _fields(stanza: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    key = ""
    for line in stanza.splitlines():
        if line.startswith("#"):
            continue
        if line.startswith((" ", "\t")):
            fields[key] = f"{fields.get(key, '')} {line.strip()}"
        else:
            key, _, value = line.partition(":")
            key = key.strip().lower()
            fields[key] = value.strip()
    return fields


def _is_debian(suites: Iterable[str], components: Iterable[str], signed_by: str) -> bool:
    if signed_by.startswith("/") and "debian-archive" not in signed_by:
        return False  # signed with somebody else's key: we could not verify it
    return "main" in components and not _SUITES.isdisjoint(suites)


def _addresses(uri: str) -> list[str]:
    if uri.startswith("mirror+file:"):
        return _mirror_list(Path(unquote(uri.removeprefix("mirror+file:").replace("//", "/", 1))))
    if uri.startswith(("http://", "https://")):
        return [uri]
    if uri.startswith(("file:", "copy:")):
        return ["file://" + "/" + uri.split(":", 1)[1].lstrip("/")]
    return []  # cdrom, tor, remote mirror lists: apt's own business


def _mirror_list(file: Path) -> list[str]:
    """One address a line, maybe followed by a tab and metadata."""
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    words = [line.split("#", 1)[0].split() for line in lines]
    return [url for parts in words if parts for url in _addresses(parts[0])]
