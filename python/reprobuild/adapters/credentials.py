"""Who are we to this host? netrc, keyring, and addresses with user and password in them.

A secret leaves this file only as the pair that goes into one request's header to the host it belongs to.
"""

from __future__ import annotations

import netrc
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from reprobuild.core.addresses import without_login

_HIDDEN = "***"
_KEYRING_TIMEOUT_S = 60
_PORTS = {"http": 80, "https": 443}

RunKeyring = Callable[[str, str], str | None]


class Login(NamedTuple):
    user: str
    password: str

    def __repr__(self) -> str:
        return f"Login({_HIDDEN})"


class _Origin(NamedTuple):
    scheme: str
    host: str
    port: int | None


class Credentials:
    """
    Args:
        index_urls: configured addresses; those with user or password in them say who we are to their host.
        netrc_file: `NETRC`, else ~/.netrc; None: no such file.
        keyring: asks the keyring for (service, user); None: not configured.
    """

    def __init__(
        self,
        index_urls: Iterable[str] = (),
        *,
        netrc_file: Path | None = None,
        keyring: RunKeyring | None = None,
    ) -> None:
        self._netrc_file = netrc_file
        self._netrc: netrc.netrc | None = None
        self._netrc_read = False
        self._keyring = keyring
        self._by_origin: dict[_Origin, tuple[str, str | None, str]] = {}
        self._answers: dict[_Origin, Login | None] = {}
        self._secrets: set[str] = set()
        self._lock = threading.Lock()
        for url in index_urls:
            parts = urlsplit(url)
            if parts.username:
                user, password = unquote(parts.username), parts.password
                self._by_origin.setdefault(
                    _origin(parts), (user, unquote(password) if password else None, without_login(url))
                )
                self._keep_secret(parts.password or "", unquote(password or ""))

    def login_for(self, url: str) -> Login | None:
        """User and password for this address's own host, if anybody told us."""
        parts = urlsplit(url)
        if parts.username and parts.password:
            self._keep_secret(parts.password, unquote(parts.password))
            return Login(unquote(parts.username), unquote(parts.password))
        origin = _origin(parts)
        with self._lock:  # one question to the keyring per host, however many threads ask
            if origin not in self._answers:
                self._answers[origin] = self._ask(origin, unquote(parts.username or ""))
                if (login := self._answers[origin]) is not None:
                    self._keep_secret(login.password)
            return self._answers[origin]

    def scrub(self, text: str) -> str:
        """The text without any secret that we know."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, _HIDDEN)
        return text

    def _ask(self, origin: _Origin, url_user: str) -> Login | None:
        user, password, index = self._by_origin.get(origin, (url_user, None, ""))
        if user and password:
            return Login(user, password)
        if (known := self._netrc_login(origin.host)) is not None and user in ("", known.user):
            return known
        if self._keyring is not None and user:
            for service in dict.fromkeys((index, origin.host)):
                if service and (found := self._keyring(service, user)):
                    return Login(user, found)
        # a bare user is how some indexes take a token
        return Login(user, "") if user else None

    def _netrc_login(self, host: str) -> Login | None:
        if not self._netrc_read:
            self._netrc_read = True
            if self._netrc_file is not None:
                try:
                    self._netrc = netrc.netrc(str(self._netrc_file))
                except (OSError, netrc.NetrcParseError):
                    self._netrc = None  # as pip and uv: a file nobody can read is no file
        found = self._netrc.authenticators(host) if self._netrc else None
        return Login(found[0], found[2] or "") if found else None

    def _keep_secret(self, *secrets: str) -> None:
        self._secrets.update(secret for secret in secrets if len(secret) > 2)


def find_netrc(environment: Mapping[str, str], home: Path) -> Path | None:
    """The netrc file that the ordinary clients would read."""
    if named := environment.get("NETRC"):
        return Path(named)
    return next((file for name in (".netrc", "_netrc") if (file := home / name).is_file()), None)


def keyring_command(environment: Mapping[str, str]) -> RunKeyring | None:
    """Asks the `keyring` program, where it is on PATH. Whether we may is up to the clients' configuration."""
    program = shutil.which("keyring", path=environment.get("PATH", os.defpath))
    if program is None:
        return None

    def ask(service: str, user: str) -> str | None:
        try:
            done = subprocess.run(
                [program, "get", service, user],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=_KEYRING_TIMEOUT_S,
                check=False,
                text=True,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.rstrip("\n") if done.returncode == 0 and done.stdout.strip() else None

    return ask


def _origin(parts: SplitResult) -> _Origin:
    scheme = parts.scheme.lower()
    return _Origin(scheme, (parts.hostname or "").lower(), parts.port or _PORTS.get(scheme))
