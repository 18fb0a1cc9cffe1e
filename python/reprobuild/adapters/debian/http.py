"""How is a small document fetched, from a folder or over HTTP?"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from reprobuild.errors import NetworkError


class HttpGet(Protocol):
    """The part of `ports.HttpClient` that this package asks for."""

    def get(self, url: str) -> bytes:
        """
        Raises:
            NetworkError: no answer, or an error.
        """
        ...


class FolderOr:
    """Reads `file://` addresses itself and hands the others on."""

    def __init__(self, http: HttpGet) -> None:
        self._http = http

    def get(self, url: str) -> bytes:
        parts = urlsplit(url)
        if parts.scheme != "file":
            return self._http.get(url)
        try:
            return Path(unquote(parts.path)).read_bytes()
        except OSError as error:
            raise NetworkError(
                f"{url}: {error.strerror}",
                expected="a file that can be read",
                actual=str(error.strerror),
                actual_from=url,
            ) from error


class HttpxGet:
    """Default for `HttpGet`: follows redirects, proxies from the environment, up to three tries."""

    def __init__(self, *, tries: int = 3, timeout_s: float = 20.0) -> None:
        self._tries = tries
        self._timeout_s = timeout_s

    def get(self, url: str) -> bytes:
        import httpx  # here: costs 0.1 s, and most commands never ask the network

        last = ""
        with httpx.Client(follow_redirects=True, timeout=self._timeout_s) as client:
            for _ in range(self._tries):
                try:
                    answer = client.get(url)
                except (httpx.HTTPError, httpx.InvalidURL) as error:
                    last = f"{type(error).__name__}: {error}"
                    continue
                if answer.is_success:
                    return answer.content
                last = f"HTTP {answer.status_code} {answer.reason_phrase}"
                if answer.status_code < 500:
                    break
        raise NetworkError(f"{url}: {last}", expected="HTTP 200", actual=last, actual_from=url)
