"""Results on stdout, everything else on stderr; one JSON document with `--json`, for success and failure."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reprobuild.cli.annotation import annotate
from reprobuild.errors import ReprobuildError


def document(fields: Mapping[str, Any]) -> None:
    """The one JSON document of a `--json` call."""
    sys.stdout.write(json.dumps(fields, indent=2, ensure_ascii=False) + "\n")


def result_line(text: str = "") -> None:
    sys.stdout.write(text + "\n")


def note(text: str) -> None:
    sys.stderr.write(text + "\n")


def error(problem: ReprobuildError, *, as_json: bool) -> None:
    """An error for people on stderr, or as the document on stdout; on GitHub also beside the run."""
    text = _error_text(problem)
    if as_json:
        document(problem.document())
    else:
        note(text)
    annotate(f"reprobuild: {problem.slug}", text.removeprefix("error: "))


def _error_text(problem: ReprobuildError) -> str:
    lines = [f"error: {problem.message}"]
    sides = [
        (side, getattr(problem, side), getattr(problem, f"{side}_from")) for side in ("expected", "actual")
    ]
    width = max((len(value) for _, value, origin in sides if value and origin), default=0)
    for side, value, origin in sides:
        if value is not None:
            lines.append(
                f"  {side:<8} {value.ljust(width) if origin else value}" + (f"  {origin}" if origin else "")
            )
    lines += [f"  | {line}" for line in problem.details]
    if problem.hint:
        lines.append(f"hint: {problem.hint}")
    return "\n".join(lines)


def bug(problem: BaseException, *, as_json: bool) -> None:
    """Something that should not happen: our fault, not the user's."""
    text = f"{type(problem).__name__}: {problem}"
    if as_json:
        document({"schema": "reprobuild.error/1", "slug": "bug", "exit_status": 70, "message": text})
        return
    note(f"error: this is a bug in reprobuild: {text}\nhint: run again with --debug and report the traceback")


def table(rows: Sequence[Sequence[str]], *, indent: str = "") -> Iterable[str]:
    """Columns as wide as their widest cell, the last one free."""
    if not rows:
        return
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield (
            indent
            + "  ".join(
                cell if last else cell.ljust(width)
                for cell, width, last in zip(row, widths, [False] * (len(row) - 1) + [True], strict=True)
            ).rstrip()
        )


def size(size_bytes: float) -> str:
    """Such as `14.2 MB` (powers of ten)."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if size_bytes < 1000 or unit == "TB":
            return f"{size_bytes:.0f} {unit}" if unit == "B" else f"{size_bytes:.1f} {unit}"
        size_bytes /= 1000
    raise AssertionError
