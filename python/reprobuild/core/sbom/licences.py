"""Under which licence is a part, by what its own metadata says?

Only what is stated is mapped, and only one to one: `BSD` may be three licences, so it stays a name. The rules:
docs/formats/sbom.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from email import message_from_string

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

# Trove classifiers that mean exactly one SPDX licence. Source: PEP 639, "Mapping license classifiers".
_CLASSIFIERS = {
    "Boost Software License 1.0 (BSL-1.0)": "BSL-1.0",
    "CC0 1.0 Universal (CC0 1.0) Public Domain Dedication": "CC0-1.0",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.0-or-later",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
    "Universal Permissive License (UPL)": "UPL-1.0",
    "zlib/libpng License": "Zlib",
}
_ALIASES = {
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache license version 2.0": "Apache-2.0",
    "mit license": "MIT",
    "the mit license": "MIT",
}
# How NVIDIA's agreements begin, and what they are called.
_NVIDIA_AGREEMENTS = (
    (
        re.compile(r"end user license agreement\b.*\bCUDA Toolkit", re.IGNORECASE | re.DOTALL),
        "NVIDIA CUDA Toolkit End User License Agreement",
    ),
    (
        re.compile(r"license agreement for nvidia software development kits", re.IGNORECASE),
        "License Agreement for NVIDIA Software Development Kits",
    ),
)
_NVIDIA_SUPPLEMENT = re.compile(r"^(\w+) SUPPLEMENT TO SOFTWARE LICENSE AGREEMENT FOR NVIDIA", re.MULTILINE)
_BEGINNING = 4000  # characters of an agreement in which its name must stand
_GNU = re.compile(r"(A?GPL|LGPL|GFDL)-(\d)(?:\.(\d))?(\+)?", re.IGNORECASE)
_LONGEST_NAME = 100  # a longer `License` field is the licence's text


@dataclass(frozen=True)
class Licence:
    """An SPDX expression; what has no SPDX name stands in it as LicenseRef."""

    expression: str | None = None
    names: tuple[tuple[str, str], ...] = ()  # LicenseRef → how the metadata calls it
    why_unknown: str = ""

    @property
    def text(self) -> str:
        """For people: names in place of references."""
        shown = self.expression or "unknown"
        for reference, name in sorted(self.names, key=lambda pair: -len(pair[0])):
            shown = shown.replace(reference, name)
        return shown


def unknown(why: str) -> Licence:
    return Licence(why_unknown=why)


def stated(text: str) -> Licence:
    """Of a licence as somebody wrote it: an SPDX expression, or a name."""
    words = " ".join(text.split())
    alias = _ALIASES.get(words.lower())
    if (expression := alias or _spdx(words)) is None:
        return _named(words)
    # references that the author made up: their name is what follows the prefix
    references = re.findall(r"LicenseRef-[A-Za-z0-9.-]+", expression)
    return Licence(
        expression, tuple((one, one.removeprefix("LicenseRef-")) for one in dict.fromkeys(references))
    )


def of_wheel(metadata: str, texts: Iterable[str] = ()) -> Licence:
    """Of a wheel's METADATA: `License-Expression`, then `License`, then its classifiers.

    Args:
        texts: its licence files; they tell which of NVIDIA's agreements a proprietary wheel is under.
    """
    fields = message_from_string(metadata)
    license_field = " ".join((fields.get("License") or "").split())
    classifiers = [
        line.rpartition(" :: ")[2]
        for line in fields.get_all("Classifier", [])
        if line.startswith("License :: ") and line != "License :: OSI Approved"
    ]
    expression = fields.get("License-Expression")
    if (nvidia := _nvidia(f"{expression or ''} {license_field}", texts)) is not None:
        return nvidia
    if expression:
        return stated(expression)
    short = license_field if len(license_field) <= _LONGEST_NAME and license_field != "UNKNOWN" else ""
    if short and not (found := stated(short)).names:
        return found
    known = sorted({_CLASSIFIERS[one] for one in classifiers if one in _CLASSIFIERS})
    if len(known) == 1 and len(classifiers) == 1:
        return Licence(known[0])
    # several classifiers do not say whether all hold or one may be chosen
    named = "; ".join(classifiers) or short
    return _named(named) if named else unknown("METADATA names no licence")


def _nvidia(said: str, texts: Iterable[str]) -> Licence | None:
    """NVIDIA's agreement by the name that it gives itself: METADATA says only that it is proprietary."""
    if not re.search("nvidia", said, re.IGNORECASE):
        return None
    for text in texts:
        for beginning, name in _NVIDIA_AGREEMENTS:
            if beginning.match(text.strip()[:_BEGINNING]):
                supplement = _NVIDIA_SUPPLEMENT.search(text)
                return _named(f"{name}, {supplement[1]} supplement" if supplement else name)
    return None


def of_debian(copyright_file: str) -> Licence:
    """Of a package's copyright file: all licences of its `Files` paragraphs, if it is machine-readable (DEP-5)."""
    paragraphs = re.split(r"\n[ \t]*\n", copyright_file)
    if not re.match(r"(?i)\s*(\S+:.*\n)*?Format(-Specification)?:\s*\S+", paragraphs[0]):
        return unknown("its copyright file is not machine-readable")
    found: dict[str, None] = {}
    for paragraph in paragraphs:
        license_line = re.search(r"(?mi)^License:[ \t]*(\S.*)$", paragraph)
        if license_line and re.search(r"(?mi)^Files:", paragraph):
            found[license_line[1].strip()] = None
    if not found:
        return unknown("its copyright file names no licence for its files")
    parts = [_debian_expression(text) for text in found]
    names = dict(pair for part in parts for pair in part.names)
    terms: set[str] = set()
    for one in (part.expression or "" for part in parts):
        terms |= {one} if " OR " in one or "(" in one else set(one.split(" AND "))
    if len(terms) == 1:
        return Licence(terms.pop(), tuple(sorted(names.items())))
    joined = " AND ".join(f"({one})" if " OR " in one else one for one in sorted(terms))
    return Licence(joined, tuple(sorted(names.items())))


def _debian_expression(text: str) -> Licence:
    """`Artistic or GPL-1+`; a comma before `and` or `or` binds weaker than the words.

    Source: copyright-format 1.0, "License field".
    """
    names: dict[str, str] = {}

    def term(words: str) -> str:
        short = words.strip()
        if gnu := _GNU.fullmatch(short):
            kind, major, minor, later = gnu.groups()
            return f"{kind.upper()}-{major}.{minor or 0}-{'or-later' if later else 'only'}"
        known = "MIT" if short.lower() == "expat" else _spdx(short)
        if known is not None and " " not in known:
            return known
        reference = _reference(f"Debian-{short}")
        names[reference] = short
        return reference

    def part(words: str) -> str:
        alternatives = re.split(r"\s+or\s+", words, flags=re.IGNORECASE)
        each = [
            " AND ".join(term(one) for one in re.split(r"\s+and\s+", words, flags=re.IGNORECASE))
            for words in alternatives
        ]
        return " OR ".join(each)

    pieces = re.split(r",\s+(and|or)\s+", text, flags=re.IGNORECASE)
    if len(pieces) == 1:
        return Licence(part(text), tuple(names.items()))
    whole = " ".join(
        piece.upper() if number % 2 else f"({part(piece)})" for number, piece in enumerate(pieces)
    )
    return Licence(_spdx(whole) or whole, tuple(names.items()))


def _spdx(text: str) -> str | None:
    """The expression in SPDX's spelling, if it is one."""
    try:
        return str(canonicalize_license_expression(text))
    except (InvalidLicenseExpression, ValueError):
        return None


def _named(name: str) -> Licence:
    reference = _reference(name)
    return Licence(reference, ((reference, name),))


def _reference(name: str) -> str:
    return "LicenseRef-" + re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-")
