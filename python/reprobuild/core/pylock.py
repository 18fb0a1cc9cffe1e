"""What does a `pylock.toml` say? Read field by field; what we do not need is not looked at.

Source: PEP 751, https://packaging.python.org/en/latest/specifications/pylock-toml/
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name

from reprobuild.domain.digest import Digest
from reprobuild.errors import ResolveError


@dataclass(frozen=True)
class PylockWheel:
    """One wheel of a package; `location` is a URL, or a path relative to the pylock file."""

    file_name: str
    location: str
    sha256: Digest | None = None
    size_bytes: int | None = None


@dataclass(frozen=True)
class PylockPackage:
    name: str
    version: str | None
    wheels: tuple[PylockWheel, ...]
    other: str | None = None  # where it comes from when that is no wheel: sdist, vcs, directory, archive


def parse(text: str, origin: str) -> tuple[PylockPackage, ...]:
    """The packages of a pylock file, in its order.

    Args:
        origin: what messages call the file.
    Raises:
        ResolveError: not TOML, another major version, or a field of another type than the standard says.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ResolveError(f"{origin} is not TOML", actual=str(error), actual_from=origin) from error
    top = _Table(document, origin, "")
    version = top.text("lock-version")
    if version.partition(".")[0] != "1":
        raise ResolveError(
            f"{origin}: lock-version is not one we can read",
            expected="1.x",
            actual=version,
            hint="update reprobuild, or use another release of uv",
        )
    return tuple(_package(table) for table in top.tables("packages"))


def _package(table: _Table) -> PylockPackage:
    name = canonicalize_name(table.text("name"))
    wheels = [_wheel(wheel) for wheel in table.tables("wheels")]
    other = next((key for key in ("sdist", "vcs", "directory", "archive") if key in table.fields), None)
    if other == "archive" and not wheels:
        archive = _wheel(table.table("archive"))
        if archive.file_name.endswith(".whl"):
            return PylockPackage(name, table.optional_text("version") or _version_of(archive), (archive,))
    return PylockPackage(name, table.optional_text("version"), tuple(wheels), other)


def _wheel(table: _Table) -> PylockWheel:
    location = table.optional_text("url") or table.optional_text("path")
    if location is None:
        raise table.wrong("url", "a URL or a path", None)
    file_name = table.optional_text("name") or unquote(urlsplit(location).path.rpartition("/")[2])
    hashes = table.table("hashes") if "hashes" in table.fields else _Table({}, table.origin, table.where)
    sha256 = hashes.optional_text("sha256")
    size = table.fields.get("size")
    if size is not None and (not isinstance(size, int) or isinstance(size, bool) or size < 0):
        raise table.wrong("size", "a number of bytes", size)
    try:
        digest = Digest(sha256) if sha256 is not None else None
    except ValueError:
        raise hashes.wrong("sha256", "64 hexadecimal digits", sha256) from None
    return PylockWheel(file_name, location, digest, size)


def _version_of(wheel: PylockWheel) -> str | None:
    parts = wheel.file_name.split("-")
    return parts[1] if len(parts) > 1 else None


@dataclass(frozen=True)
class _Table:
    fields: Mapping[str, Any]
    origin: str
    where: str

    def wrong(self, key: str, expected: str, found: object) -> ResolveError:
        actual = "nothing" if found is None else f"{type(found).__name__} {str(found)[:80]!r}"
        return ResolveError(
            f"{self.origin}: {self.where}{key} is not as the standard says",
            expected=expected,
            expected_from="PEP 751",
            actual=actual,
            actual_from=self.origin,
        )

    def text(self, key: str) -> str:
        if (value := self.optional_text(key)) is None:
            raise self.wrong(key, "text", None)
        return value

    def optional_text(self, key: str) -> str | None:
        value = self.fields.get(key)
        if value is not None and not isinstance(value, str):
            raise self.wrong(key, "text", value)
        return value

    def table(self, key: str) -> _Table:
        value = self.fields.get(key)
        if not isinstance(value, dict):
            raise self.wrong(key, "a table", value)
        return _Table(value, self.origin, f"{self.where}{key}.")

    def tables(self, key: str) -> list[_Table]:
        value = self.fields.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.wrong(key, "an array of tables", value)
        return [_Table(item, self.origin, f"{self.where}{key}[{n}].") for n, item in enumerate(value)]
