"""Which of several places answers first, and what did the others say?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from reprobuild.errors import (
    ContentMismatchError,
    NetworkError,
    ReprobuildError,
    ResolveError,
    SignatureError,
)

P = TypeVar("P")  # a place; its `str` is the address
T = TypeVar("T")

# what a place answered wrongly says more than that another one did not answer
_TELLING: tuple[type[ReprobuildError], ...] = (ContentMismatchError, SignatureError, ResolveError)


def first_answer(subject: str, places: Iterable[P], ask: Callable[[P], T], *, hint: str) -> T:
    """The first place's answer that is no error.

    Going on after a bad signature or digest is safe: nothing is taken that is not itself verified.

    Raises:
        NetworkError: no place answered, or none is known.
        ContentMismatchError, SignatureError, ResolveError: the most telling of the answers.
    """
    failed: list[tuple[str, ReprobuildError]] = []
    for place in places:
        try:
            return ask(place)
        except (NetworkError, ContentMismatchError, SignatureError, ResolveError) as error:
            failed.append((str(place), error))
    lines = tuple(f"{address}: {_short(address, failure)}" for address, failure in failed)
    telling = [failure for kind in _TELLING for _, failure in failed if isinstance(failure, kind)]
    if telling:
        if len(failed) > 1:
            telling[0].details = (*telling[0].details, *lines)
        raise telling[0]
    raise NetworkError(
        f"{subject}: " + ("no mirror answered" if failed else "no mirror is known"),
        expected="an answer from one of the mirrors",
        actual=f"{len(failed)} tried, none answered",
        details=lines,
        hint=hint,
    )


def _short(address: str, error: ReprobuildError) -> str:
    found = f" ({error.actual})" if error.actual and error.actual not in error.message else ""
    # messages of the transport begin with the address already
    message = error.message.partition(": ")[2] if error.message.startswith(address) else error.message
    return message + found
