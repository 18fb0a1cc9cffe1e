"""A web server on the loopback that misbehaves as told."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@dataclass
class Page:
    """One address's content and manners."""

    body: bytes
    ranges: bool = True
    head: bool = True
    fail_times: int = 0  # answer 503 so often
    cut_after: list[int] = field(default_factory=list)  # per request: break off after so many bytes
    login: str | None = None  # user:password that it wants
    redirect: str | None = None
    status: int = 200


@dataclass
class Site:
    url: str
    pages: dict[str, Page] = field(default_factory=dict)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)  # method, path, headers

    def put(self, path: str, body: bytes, **manners: Any) -> str:
        self.pages[path] = Page(body, **manners)
        return self.url + path

    def gets(self, path: str) -> list[dict[str, str]]:
        return [headers for method, asked, headers in self.requests if method == "GET" and asked == path]


@contextmanager
def loopback_site() -> Iterator[Site]:
    site = Site("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(send=True)

        def do_HEAD(self) -> None:
            self._answer(send=False)

        def _answer(self, *, send: bool) -> None:
            path = self.path.partition("?")[0]
            headers = {name.lower(): value for name, value in self.headers.items()}
            site.requests.append((self.command, self.path, headers))
            page = site.pages.get(path)
            if page is None:
                return self._say(404)
            if page.login is not None:
                wanted = "Basic " + base64.b64encode(page.login.encode()).decode()
                if headers.get("authorization") != wanted:
                    return self._say(401)
            if page.fail_times > 0:
                page.fail_times -= 1
                return self._say(503)
            if page.redirect:
                return self._say(302, ("Location", page.redirect))
            if page.status != 200:
                return self._say(page.status)
            if self.command == "HEAD" and not page.head:
                return self._say(405)
            body, extra, status = page.body, [], 200
            if page.ranges and (asked := headers.get("range")):
                start, _, end = asked.removeprefix("bytes=").partition("-")
                if int(start) >= len(body):
                    return self._say(416)
                stop = int(end) + 1 if end else len(body)
                extra = [("Content-Range", f"bytes {start}-{stop - 1}/{len(body)}")]
                body, status = body[int(start) : stop], 206
            self.send_response(status)
            for name, value in (("Content-Length", str(len(body))), *extra):
                self.send_header(name, value)
            self.end_headers()
            if send:
                cut = page.cut_after.pop(0) if page.cut_after else None
                self.wfile.write(body[:cut])
                if cut is not None and cut < len(body):
                    self.close_connection = True
            return None

        def _say(self, status: int, *headers: tuple[str, str]) -> None:
            self.send_response(status)
            for name, value in (("Content-Length", "0"), *headers):
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            pass  # clients that hang up are part of the tests

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Files:
    """A folder on a plain web server; with `writable` it takes files as well."""

    url: str
    folder: Path
    login: str | None = None  # user:password that it wants
    requests: list[tuple[str, str]] = field(default_factory=list)  # method, path


@contextmanager
def loopback_files(folder: Path, *, writable: bool = False) -> Iterator[Files]:
    files = Files("", folder)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            files.requests.append((self.command, self.path))
            if self._refuses():
                return
            file = folder / self.path.partition("?")[0].lstrip("/")
            found = file.is_file()
            body = file.read_bytes() if found else b""
            self.send_response(200 if found else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_PUT(self) -> None:
            files.requests.append((self.command, self.path))
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self._refuses():
                return
            if writable:
                file = folder / self.path.lstrip("/")
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(body)
            self._say(201 if writable else 405)

        def _refuses(self) -> bool:
            wanted = files.login and "Basic " + base64.b64encode(files.login.encode()).decode()
            refuses = wanted is not None and self.headers.get("Authorization") != wanted
            if refuses:
                self._say(401)
            return refuses

        def _say(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    files.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield files
    finally:
        server.shutdown()
        server.server_close()
