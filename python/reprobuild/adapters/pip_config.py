"""Which indexes and wheelhouses do pip and uv use here? Read from pip's files, and both programs' variables.

uv reads its own files itself. Where nothing is configured, nothing is passed on and uv's default holds.
"""

from __future__ import annotations

import configparser
import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from reprobuild.core.addresses import redact

# pip looks at these sections, a later one over an earlier one; Source: pip documentation, "Configuration".
_SECTIONS = ("global", "install", ":env:")
_PIP_KEYS = ("index-url", "extra-index-url", "find-links", "no-index", "cert", "keyring-provider")
_TRUE = ("1", "true", "yes", "on", "y", "t")


@dataclass(frozen=True)
class Index:
    """A configured package index. `name` goes into locks, the address never does."""

    name: str
    url: str  # may hold user and password

    @property
    def uv_name(self) -> str:
        """The name in letters that uv takes."""
        return re.sub(r"[^A-Za-z0-9_.-]", "-", self.name)

    def __repr__(self) -> str:
        return f"Index({self.name!r}, {redact(self.url)!r})"


@dataclass(frozen=True)
class IndexConfig:
    """
    Args:
        default_index: None: uv's own default.
        extra_indexes: asked before the default one, in this order.
        find_links: wheelhouses: folders, or addresses of pages with links.
        pip_rules: the extra indexes come from pip's configuration, where all indexes count the same.
        cert: file with certificates of authorities.
        keyring: passwords may be asked of the `keyring` program.
    """

    default_index: Index | None = None
    extra_indexes: tuple[Index, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool = False
    cert: str | None = None
    offline: bool = False
    keyring: bool = False
    pip_rules: bool = False

    @property
    def indexes(self) -> tuple[Index, ...]:
        default = (self.default_index,) if self.default_index else ()
        return (*self.extra_indexes, *default)

    @property
    def wheelhouses(self) -> tuple[Path, ...]:
        """The find-links that are folders on this machine."""
        return tuple(folder for link in self.find_links if (folder := local_path(link)) and folder.is_dir())

    @property
    def uv_variables(self) -> dict[str, str]:
        """The variables that tell uv the same; addresses in them may hold user and password.

        What uv knows by an option only (`no_index`) or in another sense (`pip_rules`) is not among them.
        """
        variables: dict[str, str] = {}
        if self.default_index:
            variables["UV_DEFAULT_INDEX"] = self.default_index.url
        if self.extra_indexes:
            variables["UV_INDEX"] = " ".join(f"{one.uv_name}={one.url}" for one in self.extra_indexes)
        if self.find_links:
            variables["UV_FIND_LINKS"] = ",".join(self.find_links)
        if self.cert:
            variables["SSL_CERT_FILE"] = self.cert
        if self.keyring:
            variables["UV_KEYRING_PROVIDER"] = "subprocess"
        return variables

    def __repr__(self) -> str:
        links = [redact(link) for link in self.find_links]
        return f"IndexConfig(indexes={list(self.indexes)}, find_links={links}, no_index={self.no_index})"


def read_index_config(
    environment: Mapping[str, str] = os.environ,
    *,
    home: Path | None = None,
    prefix: str = sys.prefix,
    root: str = "/",
) -> IndexConfig:
    """What pip and uv would use in this environment.

    uv's variables go before pip's settings of the same meaning; wheelhouses of both are used.

    Args:
        home: the user's folder; prefix: the virtual environment's; root: where `etc` is, for tests.
    """
    home = home or Path.home()
    pip = _pip_settings(environment, home, Path(prefix), Path(root))
    uv_extra = [*_words(environment, "UV_INDEX"), *_words(environment, "UV_EXTRA_INDEX_URL")]
    pip_extra = pip.get("extra-index-url", "").split()
    default = environment.get("UV_DEFAULT_INDEX") or environment.get("UV_INDEX_URL") or pip.get("index-url")
    links = [*environment.get("UV_FIND_LINKS", "").split(","), *pip.get("find-links", "").split()]
    providers = (environment.get("UV_KEYRING_PROVIDER"), pip.get("keyring-provider"))
    return IndexConfig(
        default_index=_default(default),
        extra_indexes=_extra(uv_extra or pip_extra),
        find_links=tuple(dict.fromkeys(_expanded(link.strip(), home) for link in links if link.strip())),
        no_index=_is_true(pip.get("no-index")),
        cert=environment.get("SSL_CERT_FILE") or pip.get("cert") or None,
        offline=_is_true(environment.get("UV_OFFLINE")),
        keyring="subprocess" in providers,
        pip_rules=bool(pip_extra) and not uv_extra,
    )


def local_path(location: str) -> Path | None:
    """The path that an address or a plain path leads to on this machine; None for other hosts."""
    parts = urlsplit(location)
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    return None if parts.scheme in ("http", "https") else Path(location)


def _pip_settings(environment: Mapping[str, str], home: Path, prefix: Path, root: Path) -> dict[str, str]:
    found: dict[str, dict[str, str]] = {section: {} for section in _SECTIONS}
    for file in _pip_files(environment, home, prefix, root):
        parser = configparser.RawConfigParser()
        try:
            parser.read(file, encoding="utf-8")
        except (OSError, UnicodeError, configparser.Error):
            continue  # pip itself says so to who runs it
        for section in _SECTIONS[:2]:
            if parser.has_section(section):
                found[section].update({key.replace("_", "-"): value for key, value in parser.items(section)})
    for key in _PIP_KEYS:
        if value := environment.get("PIP_" + key.upper().replace("-", "_")):
            found[":env:"][key] = value
    settings: dict[str, str] = {}
    for section in _SECTIONS:
        settings.update({key: found[section][key] for key in _PIP_KEYS if key in found[section]})
    return settings


def _pip_files(environment: Mapping[str, str], home: Path, prefix: Path, root: Path) -> Iterable[Path]:
    """Least important first; PIP_CONFIG_FILE=/dev/null switches all files off, as in pip."""
    named = environment.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return
    for folder in reversed((environment.get("XDG_CONFIG_DIRS") or str(root / "etc/xdg")).split(":")):
        yield Path(folder) / "pip" / "pip.conf"
    yield root / "etc" / "pip.conf"
    yield home / ".pip" / "pip.conf"
    yield Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf"
    yield prefix / "pip.conf"
    if named:
        yield Path(named)


def _default(text: str | None) -> Index | None:
    if not text:
        return None
    name, url = _named(text)
    return Index(name or "default", url)


def _extra(texts: Iterable[str]) -> tuple[Index, ...]:
    found = []
    for number, text in enumerate(texts, 1):
        name, url = _named(text)
        found.append(Index(name or f"extra-{number}", url))
    return tuple(found)


def _named(text: str) -> tuple[str, str]:
    """uv's `name=address`; Source: uv documentation, "Package indexes"."""
    name, separator, url = text.partition("=")
    return (name, url) if separator and not {":", "/"} & set(name) else ("", text)


def _expanded(link: str, home: Path) -> str:
    return str(home / link[2:]) if link.startswith("~/") else link


def _words(environment: Mapping[str, str], name: str) -> list[str]:
    return environment.get(name, "").split()


def _is_true(text: str | None) -> bool:
    return (text or "").strip().lower() in _TRUE
