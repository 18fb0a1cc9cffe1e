"""Problems as GitHub shows them beside a run: one `::error` line, only there."""

from __future__ import annotations

import os
import sys


def annotate(title: str, text: str) -> None:
    """Show a problem on the run's page, in addition to the log; does nothing outside of GitHub's runs."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        escaped_title = _escaped(title).replace(":", "%3A").replace(",", "%2C")
        sys.stderr.write(f"::error title={escaped_title}::{_escaped(text)}\n")


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
