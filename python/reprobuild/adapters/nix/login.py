"""Logins for caches reach Nix in a file of this user, not in a command line, which everybody on the machine sees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from tempfile import NamedTemporaryFile
from urllib.parse import urlsplit

from reprobuild.adapters.http import ordinary_credentials
from reprobuild.core.addresses import without_login


@contextmanager
def login_kept_back(url: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The address without user and password, and Nix's setting that names a file with them (`netrc`).

    They are those of the address, else those that we use ourselves: of ~/.netrc or a keyring.
    """
    parts = urlsplit(url)
    login = ordinary_credentials().login_for(url) if parts.scheme in ("http", "https") else None
    if login is None:
        yield url, {}
        return
    with NamedTemporaryFile("w", prefix="reprobuild-netrc-", encoding="utf-8") as file:  # its owner's alone
        words = (parts.hostname or "", _quoted(login.user), _quoted(login.password))
        file.write("machine {}\nlogin {}\npassword {}\n".format(*words))
        file.flush()
        yield without_login(url), {"netrc-file": file.name}


def _quoted(word: str) -> str:
    """As curl reads it."""
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
