"""A real Chromium over the W3C WebDriver protocol, as chromedriver speaks it: only what tests of our pages ask."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the standard's key of a reference to an element
# The browser has a network namespace of its own, in which not even loopback is up.
_ALONE = """#!/bin/sh
exec unshare {user} --net -- {chromium} "$@"
"""


class Browser:
    """One window. Every command is one request to chromedriver."""

    def __init__(self, client: httpx.Client, session: str) -> None:
        self._client, self._session = client, session

    def _ask(self, method: str, command: str, **values: Any) -> Any:
        answer = self._client.request(
            method, f"/session/{self._session}/{command}", json=values if method == "POST" else None
        )
        value = answer.json()["value"]
        assert answer.is_success, f"{command}: {value}"
        return value

    def open(self, page: Path) -> None:
        self._log("performance"), self._log("browser")  # what came before is not this page's
        self._ask("POST", "url", url=page.as_uri())

    def devtools(self, command: str, **values: Any) -> Any:
        return self._ask("POST", "goog/cdp/execute", cmd=command, params=values)

    def look(self, scheme: str = "light", width: int = 1000) -> None:
        """Light or dark, and how wide the window is, in CSS pixels."""
        self.devtools(
            "Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}]
        )
        self.devtools(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False
        )

    def evaluate(self, script: str) -> Any:
        """What a JavaScript function body returns."""
        return self._ask("POST", "execute/sync", script=script, args=[])

    def labels(self, selector: str) -> list[tuple[str, str]]:
        """Role and accessible name of every element, as the browser computes them."""
        found = self._ask("POST", "elements", using="css selector", value=selector)
        return [
            tuple(self._ask("GET", f"element/{one[_ELEMENT]}/computed{what}") for what in ("role", "label"))
            for one in found
        ]

    def picture(self) -> bytes:
        """The whole page as PNG."""
        made = self.devtools("Page.captureScreenshot", captureBeyondViewport=True)
        return base64.b64decode(made["data"])

    def print(self) -> bytes:
        """The page as PDF."""
        return base64.b64decode(self._ask("POST", "print"))

    def console(self) -> list[str]:
        return [one["message"] for one in self._log("browser")]

    def requests(self) -> list[str]:
        """Addresses of everything that the page asked for."""
        events = (json.loads(one["message"])["message"] for one in self._log("performance"))
        return [
            one["params"]["request"]["url"] for one in events if one["method"] == "Network.requestWillBeSent"
        ]

    def _log(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._ask("POST", "se/log", type=kind)
        return found


@contextmanager
def browser(chromium: str, chromedriver: str, folder: Path) -> Iterator[Browser]:
    """
    Args:
        folder: empty; for the browser's profile and its start script.
    """
    start = folder / "chromium"
    user = "" if os.geteuid() == 0 else "--user --map-root-user"
    start.write_text(_ALONE.format(user=user, chromium=chromium))
    start.chmod(0o755)
    driver = subprocess.Popen(
        [chromedriver, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder
    )
    try:
        assert driver.stdout is not None
        port = next(found[1] for line in driver.stdout if (found := re.search(r"on port (\d+)\.", line)))
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client:
            wanted = {
                "browserName": "chrome",
                "goog:chromeOptions": {
                    "binary": str(start),
                    "args": [*_FLAGS, f"--user-data-dir={folder / 'profile'}"],
                },
                "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            }
            answer = client.post("/session", json={"capabilities": {"alwaysMatch": wanted}}).json()["value"]
            assert "sessionId" in answer, answer
            made = Browser(client, answer["sessionId"])
            made.devtools("Page.navigate", url="about:blank")
            yield made
            client.delete(f"/session/{answer['sessionId']}")
    finally:
        driver.terminate()
        driver.wait(timeout=30)
