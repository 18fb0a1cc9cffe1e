"""Whose certificates does a server have to show?"""

from __future__ import annotations

import ssl
from functools import lru_cache


@lru_cache(maxsize=2)
def authorities(cert: str | None) -> ssl.SSLContext:
    """The named file, or the system's authorities and those that come with httpx."""
    if cert:
        return ssl.create_default_context(cafile=cert)
    import certifi

    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context
