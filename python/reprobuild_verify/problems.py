"""What can be wrong: one word for programs, one line for people."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    slug: str  # docs/formats/statement.md lists them
    message: str


class RefusedError(Exception):
    """A document cannot be used at all."""

    def __init__(self, slug: str, message: str) -> None:
        super().__init__(message)
        self.problem = Problem(slug, message)
