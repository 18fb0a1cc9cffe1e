"""Claims about fetching small documents."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.golden.debian.tiny import NoHttp

from reprobuild.adapters.debian.http import FolderOr, HttpxGet
from reprobuild.errors import NetworkError


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        asked: list[str] = self.server.asked  # type: ignore[attr-defined]
        asked.append(self.path)
        busy = self.path == "/busy" and asked.count("/busy") < 3
        self.send_response(503 if busy else 404 if self.path == "/none" else 200)
        self.end_headers()
        self.wfile.write(b"body")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        httpd.asked = []  # type: ignore[attr-defined]
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield httpd
        httpd.shutdown()


def url(server: ThreadingHTTPServer, path: str) -> str:
    return f"http://127.0.0.1:{server.server_port}{path}"


def test_a_body_is_fetched(server: ThreadingHTTPServer) -> None:
    assert HttpxGet().get(url(server, "/x")) == b"body"


def test_a_busy_server_is_asked_again(server: ThreadingHTTPServer) -> None:
    assert HttpxGet(tries=3).get(url(server, "/busy")) == b"body"


def test_a_missing_file_is_asked_for_once(server: ThreadingHTTPServer) -> None:
    with pytest.raises(NetworkError, match="404"):
        HttpxGet().get(url(server, "/none"))
    assert server.asked == ["/none"]  # type: ignore[attr-defined]


def test_a_closed_port_is_a_network_error() -> None:
    with pytest.raises(NetworkError):
        HttpxGet(tries=1, timeout_s=2).get("http://127.0.0.1:9/x")


@pytest.mark.parametrize("address", ["nonsense", "gopher://a.example/x"])
def test_an_address_that_is_none_is_a_network_error(address: str) -> None:
    with pytest.raises(NetworkError):
        HttpxGet(tries=1).get(address)


def test_folders_are_read_without_http(tmp_path: Path) -> None:
    (tmp_path / "a b~").write_bytes(b"x")
    assert FolderOr(NoHttp()).get((tmp_path / "a b~").as_uri()) == b"x"
    with pytest.raises(NetworkError):
        FolderOr(NoHttp()).get((tmp_path / "gone").as_uri())
