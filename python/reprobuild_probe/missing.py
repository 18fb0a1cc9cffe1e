"""Fields that this machine does not give: each is null, and the reason is kept beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class NotAvailable:
    """Field → why it is null.

    Args:
        errors: what reading a field may raise where a machine does not have it.
    """

    def __init__(self, *errors: type[BaseException]) -> None:
        self.reasons: dict[str, str] = {}
        self._errors: tuple[type[BaseException], ...] = errors

    def read(self, field: str, read: Callable[[], T]) -> T | None:
        """What `read` gives, or None with its error as the reason."""
        try:
            return read()
        except self._errors as error:
            self.reasons[field] = str(error) or type(error).__name__
            return None
