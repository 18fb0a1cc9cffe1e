"""How may an address be shown, and how may it be sent?"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit, urlunsplit

_URL = re.compile(r"(?:https?|file|s3)://(?:[^\s/@]*@)?[^\s`'\")\]]+")
_UNREADABLE = "(not an address)"


def redact(url: str) -> str:
    """An address as messages and files may show it: without user, password, query and fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return _UNREADABLE
    return urlunsplit((parts.scheme, bare_host(parts), parts.path, "", ""))


def redact_all(text: str) -> str:
    """A tool's words, with every address in them as `redact` shows it."""
    return _URL.sub(lambda match: redact(match[0]), text)


def without_login(url: str) -> str:
    """The same address, without user and password."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=bare_host(parts)))


def bare_host(parts: SplitResult) -> str:
    """Host and port as written, without user and password."""
    return parts.netloc.rpartition("@")[2]


def shown_address(cache: str) -> str:
    """A binary cache's address as messages show it; a folder stays as it was given."""
    return redact(cache) if "://" in cache else cache.partition("?")[0]
