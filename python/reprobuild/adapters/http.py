"""Documents and files over HTTP: retried, resumed, hashed on the way; secrets go to their own host only."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urljoin, urlsplit

from reprobuild.adapters.authorities import authorities
from reprobuild.adapters.credentials import Credentials, find_netrc, keyring_command
from reprobuild.adapters.growing_file import CHUNK_BYTES, GrowingFile
from reprobuild.adapters.pip_config import local_path, read_index_config
from reprobuild.core.addresses import bare_host, redact, without_login
from reprobuild.domain.digest import Digest
from reprobuild.errors import NetworkError

if TYPE_CHECKING:
    import httpx

_MAX_REDIRECTS = 10
_MAX_ROUNDS = 60  # of one download that moves on, but breaks off again and again
_MAX_WAIT_S = 20.0
T = TypeVar("T")
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})


class HttpxClient:
    """Implements ports.HttpClient.

    Args:
        credentials: by default those of the ordinary clients: index addresses, netrc, keyring.
        cert: file with certificates of authorities; by default SSL_CERT_FILE, then pip's `cert`.
        tries: in a row without a byte of progress.
    """

    def __init__(
        self,
        credentials: Credentials | None = None,
        *,
        cert: str | None = None,
        tries: int = 4,
        backoff_s: float = 0.4,
        timeout_s: float = 20.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._given = credentials
        self._cert = cert
        self._tries = tries
        self._backoff_s = backoff_s
        self._timeout_s = timeout_s
        self._sleep = sleep
        self._silent_hosts: set[str] = set()
        self._making = threading.Lock()

    def get(self, url: str) -> bytes:
        """The whole body of a small document.

        Raises:
            NetworkError: no answer or an error after all tries.
        """
        if (file := _file(url)) is not None:
            return _read_file(file, url)

        def once() -> bytes:
            with self._open("GET", url) as response:
                self._check(response, url)
                return response.read()

        return self._retried(once, url)

    def find(self, url: str) -> bytes | None:
        """The whole body of a small document; None where the server says that there is none.

        Raises:
            NetworkError: no answer or another error after all tries.
        """
        if (file := _file(url)) is not None:
            return _read_file(file, url) if file.exists() else None

        def once() -> bytes | None:
            with self._open("GET", url) as response:
                if response.status_code in (404, 410):
                    return None
                self._check(response, url)
                return response.read()

        return self._retried(once, url)

    def size_bytes(self, url: str) -> int:
        """Size of a file, without fetching it.

        Raises:
            NetworkError: no answer, or the server does not say.
        """
        if (file := _file(url)) is not None:
            try:
                return file.stat().st_size
            except OSError as error:
                raise _no_file(url, error) from error

        def once() -> int:
            with self._open("HEAD", url, {"Accept-Encoding": "identity"}) as response:
                length = response.headers.get("content-length", "")
                if response.is_success and length.isdigit():
                    return int(length)
            # a server without HEAD: ask for one byte, the answer says of how many
            with self._open("GET", url, {"Accept-Encoding": "identity", "Range": "bytes=0-0"}) as response:
                self._check(response, url)
                total = response.headers.get("content-range", "").rpartition("/")[2]
                length = total if response.status_code == 206 else response.headers.get("content-length", "")
                if length.isdigit():
                    return int(length)
            raise NetworkError(f"{redact(url)}: the server does not say the file's size")

        return self._retried(once, url)

    def download(
        self, url: str, target: Path, *, expected_bytes: int | None = None, advance: Callable[[int], None]
    ) -> Digest:
        """Fetch into `target`, going on from its present end where the server can; SHA-256 of the whole file.

        The caller compares digest and size. At most one byte more than `expected_bytes` is read: it shows
        that the file is another one.

        Args:
            advance: told of every byte, those already there included; of a negative number when it must
                start over. What it raises ends the download.
        Raises:
            NetworkError: no answer or an error after all tries; what was fetched stays for the next try.
        """
        with GrowingFile(target, expected_bytes, advance) as part:
            if (file := _file(url)) is not None:
                part.start_over()
                try:
                    with file.open("rb") as stream:
                        while not part.too_long and (chunk := stream.read(CHUNK_BYTES)):
                            part.add(chunk)
                except OSError as error:
                    raise _no_file(url, error) from error
                return part.digest
            if not part.full:
                self._retried(lambda: self._one_round(url, part), url, lambda: part.size_bytes)
            return part.digest

    def _one_round(self, url: str, part: GrowingFile) -> None:
        headers = {"Accept-Encoding": "identity"}
        if part.size_bytes:
            headers["Range"] = f"bytes={part.size_bytes}-"
        with self._open("GET", url, headers) as response:
            if response.status_code == 416:  # what we have is no beginning of this file
                part.start_over()
                raise _AgainError("the server has no such range")
            self._check(response, url)
            start = response.headers.get("content-range", "").removeprefix("bytes ").partition("-")[0]
            if part.size_bytes and not (response.status_code == 206 and start == str(part.size_bytes)):
                if response.status_code == 206:
                    raise _AgainError("the server sent another range than asked for")
                part.start_over()  # the server knows no ranges and sends all of it
            for chunk in response.iter_raw():  # given a size it would hold back, and lose, the last bytes
                part.add(chunk)
                if part.too_long:
                    return
            known_end = "content-length" in response.headers
        if not known_end and part.short:
            raise _AgainError("the connection ended early")

    def _retried(self, once: Callable[[], T], url: str, position: Callable[[], int] = lambda: 0) -> T:
        """Try until it works; a try that moved `position` forward does not count."""
        import httpx

        try:
            host = bare_host(urlsplit(url))
        except ValueError:
            raise NetworkError(f"{redact(url)}: cannot be read") from None
        failed, reached = 0, position()
        for _ in range(_MAX_ROUNDS):
            try:
                found = once()
                self._silent_hosts.discard(host)
                return found
            except _AgainError as error:
                reason, wait_s = str(error), error.wait_s
            except httpx.TransportError as error:
                reason, wait_s = self._reason(error), None
                if isinstance(error, httpx.UnsupportedProtocol):
                    raise NetworkError(f"{redact(url)}: {reason}") from None
                if isinstance(error, httpx.ConnectError) and host in self._silent_hosts:
                    failed = self._tries  # has not answered all tries before: do not wait for it again
            except (httpx.InvalidURL, httpx.HTTPError, ValueError) as error:
                raise NetworkError(f"{redact(url)}: {self._reason(error)}") from None
            moved, reached = position() > reached, position()
            failed = 0 if moved else failed + 1
            if failed >= self._tries:
                break
            self._sleep(min(wait_s if wait_s is not None else self._backoff_s * 2**failed, _MAX_WAIT_S))
        self._silent_hosts.add(host)
        # from None: what httpx raises may hold headers and addresses as they were sent
        raise NetworkError(
            f"{redact(url)}: {reason}",
            details=(f"tried {self._tries} times",),
            hint="check the network, or name a mirror or wheelhouse that can be reached",
        ) from None

    @contextmanager
    def _open(self, method: str, url: str, headers: dict[str, str] | None = None) -> Iterator[httpx.Response]:
        """Follow redirects ourselves: each hop gets its own host's credentials and no others."""
        import httpx

        secure = False
        for _ in range(_MAX_REDIRECTS):
            login = self._credentials.login_for(url)
            is_https = url.lower().startswith("https:")
            if secure and not is_https:
                login = None  # never from an encrypted hop to a readable one
            secure = secure or is_https
            request = self._client.build_request(method, without_login(url), headers=headers)
            response = self._client.send(
                request, stream=True, auth=httpx.BasicAuth(*login) if login else None
            )
            try:
                if not response.has_redirect_location:
                    yield response
                    return
                url = urljoin(url, response.headers["location"])
                if urlsplit(url).scheme not in ("http", "https"):
                    raise NetworkError(f"{redact(str(request.url))}: redirects to something that is not HTTP")
            finally:
                response.close()
        raise NetworkError(f"{redact(url)}: more than {_MAX_REDIRECTS} redirects")

    def _check(self, response: httpx.Response, url: str) -> None:
        status = response.status_code
        if response.is_success:
            return
        words = f"{status} {response.reason_phrase}".strip()
        if status in _AGAIN:
            after = response.headers.get("retry-after", "")
            raise _AgainError(words, float(after) if after.isdigit() else None)
        hint = None
        if status in (401, 403, 407):
            host = urlsplit(redact(url)).netloc
            hint = f"give user and password for {host} in ~/.netrc or in the index address"
        raise NetworkError(f"{redact(url)}: {words}", hint=hint)

    def _reason(self, error: Exception) -> str:
        text = self._credentials.scrub(str(error)).strip()
        return text if text else type(error).__name__

    @cached_property
    def _credentials(self) -> Credentials:
        return self._given if self._given is not None else ordinary_credentials()

    @property
    def _client(self) -> httpx.Client:
        with self._making:
            return self._made_client

    @cached_property
    def _made_client(self) -> httpx.Client:
        import httpx

        # addresses may carry signatures in their query, and httpx logs addresses
        logging.getLogger("httpx").setLevel(logging.WARNING)
        return httpx.Client(
            verify=authorities(self._cert or read_index_config().cert),
            timeout=self._timeout_s,
            follow_redirects=False,
            headers={"User-Agent": "reprobuild"},
            limits=httpx.Limits(max_connections=32, max_keepalive_connections=16),
        )


def ordinary_credentials() -> Credentials:
    """What pip and uv would use in this environment."""
    config = read_index_config()
    return Credentials(
        [index.url for index in config.indexes] + [link for link in config.find_links if "://" in link],
        netrc_file=find_netrc(os.environ, Path.home()),
        keyring=keyring_command(os.environ) if config.keyring else None,
    )


class _AgainError(Exception):
    """Worth another try."""

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


def _file(url: str) -> Path | None:
    return local_path(url) if url.lower().startswith("file:") else None


def _read_file(file: Path, url: str) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise _no_file(url, error) from error


def _no_file(url: str, error: OSError) -> NetworkError:
    return NetworkError(f"{redact(url)}: {error.strerror or error}")
