"""An S3 bucket as a plain HTTP cache on the loopback, for any release of Nix: signs requests and passes them on.

Nix 2.8 and 2.26 as Debian builds them have no S3. And with this the login stays in our process.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
from datetime import UTC, datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from reprobuild.adapters.binary_cache.s3_bucket import S3Bucket
from reprobuild.core.aws_signature import EMPTY_SHA256, signed_headers

if TYPE_CHECKING:
    import httpx

_CHUNK_BYTES = 1 << 20
_IN_MEMORY_BYTES = 4 << 20
_PASSED_ON = ("content-length", "content-type", "content-range", "last-modified", "etag")


@cache
def gateway(bucket: S3Bucket) -> str:
    """Start the gateway to a bucket; returns its address. It ends with the process."""
    import httpx

    # Nix and we must reach it ourselves, also where a proxy is set
    for name in ("no_proxy", "NO_PROXY"):
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1"]))
    # certificates and proxies of the machine; a first byte may take long
    client = httpx.Client(timeout=httpx.Timeout(60.0, connect=20.0))
    server = _Server(bucket, client)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}{server.prefix}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, bucket: S3Bucket, client: httpx.Client) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bucket, self.client = bucket, client
        # Nix remembers by its address what a cache has, and the port may have been another bucket's.
        self.prefix = f"/{hashlib.sha256(bucket.url.encode()).hexdigest()[:16]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients hang up when they have what they want."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._pass_on()

    def do_HEAD(self) -> None:
        self._pass_on()

    def do_PUT(self) -> None:
        with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as body:
            left, digest = int(self.headers.get("content-length", "0")), hashlib.sha256()
            while left and (chunk := self.rfile.read(min(left, _CHUNK_BYTES))):
                body.write(chunk)
                digest.update(chunk)
                left -= len(chunk)
            body.seek(0)
            self._pass_on(body, digest.hexdigest())

    def _pass_on(self, body: IO[bytes] | None = None, payload_sha256: str = EMPTY_SHA256) -> None:
        import httpx

        if not _is_ours(self.client_address[1], self.server.server_port):
            self._say(403, b"another user's process\n")
            return
        bucket, path = self.server.bucket, urlsplit(self.path).path
        if not path.startswith(f"{self.server.prefix}/"):
            self._say(404, b"another bucket\n")
            return
        url = httpx.URL(bucket.url + path.removeprefix(self.server.prefix))
        headers = {name: self.headers[name] for name in ("range", "content-type") if name in self.headers}
        headers["accept-encoding"] = "identity"
        if body is not None:
            headers["content-length"] = self.headers.get("content-length", "0")
        if bucket.login is not None:
            headers = signed_headers(
                bucket.login,
                method=self.command,
                host=url.netloc.decode(),
                path=unquote(url.path),
                region=bucket.region,
                time=datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ"),
                payload_sha256=payload_sha256,
                headers=headers,
            )
        content = iter(lambda: body.read(_CHUNK_BYTES), b"") if body is not None else None
        try:
            with self.server.client.stream(self.command, url, headers=headers, content=content) as answer:
                self._answer(answer)
        except httpx.HTTPError as error:
            self._say(502, f"{url.host}: {type(error).__name__}: {error}\n".encode())

    def _answer(self, answer: httpx.Response) -> None:
        self.send_response(answer.status_code)
        for name in _PASSED_ON:
            if name in answer.headers:
                self.send_header(name, answer.headers[name])
        if "content-length" not in answer.headers:
            self.send_header("connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            for chunk in answer.iter_raw(_CHUNK_BYTES):
                self.wfile.write(chunk)

    def _say(self, status: int, text: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        """Nix says what was wrong."""


def _is_ours(client_port: int, server_port: int) -> bool:
    """Whether the other end of a loopback connection is a process of this user or of root (nix-daemon)."""
    ends = f"0100007F:{client_port:04X}", f"0100007F:{server_port:04X}"
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if (fields[1], fields[2]) == ends:
            return int(fields[7]) in (0, os.getuid())
    return False
