"""`python -m reprobuild_verify RESULT`: exit 0 if all holds, 1 if not, 2 where the request is wrong."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

try:
    from reprobuild_verify.check import Report, verify
    from reprobuild_verify.find import find_record, find_statements
    from reprobuild_verify.problems import Problem, RefusedError
    from reprobuild_verify.trust import Trust, read_trust
except ModuleNotFoundError as missing:
    if (missing.name or "").partition(".")[0] != "cryptography":
        raise
    print(
        "error: the Python package cryptography is missing\nhint: pip install cryptography", file=sys.stderr
    )
    sys.exit(2)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="reprobuild-verify", description="Check who signed a model.")
    parser.add_argument("result", type=Path, help="folder of the artifact")
    parser.add_argument("--trust", type=Path, required=True, help="trust file: who may sign what")
    parser.add_argument(
        "--statements", type=Path, help="signed statements; by default those beside the result"
    )
    parser.add_argument("--record", type=Path, help="build record; by default the one beside the statements")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    chosen = parser.parse_args(arguments)
    try:
        trust = read_trust(chosen.trust)
    except RefusedError as refused:
        print(_printable(f"error: {refused}"), file=sys.stderr)
        if chosen.json:
            print(json.dumps(_refusal(refused.problem), indent=2))
        return 2
    report = check(chosen.result, trust, chosen.statements, chosen.record)
    print(json.dumps(document(report), indent=2) if chosen.json else "\n".join(text_lines(report)))
    return 0 if report.ok else 1


def check(result: Path, trust: Trust, statements: Path | None, record: Path | None) -> Report:
    """Now; statements and record are those beside the result where None are named."""
    try:
        chosen = statements or find_statements(result)
    except RefusedError as refused:
        return Report((), (refused.problem,))
    record = record or find_record(chosen)
    return verify(result.resolve(), chosen, trust, now=datetime.now(UTC), record=record)


def statements_beside(result: Path, statements: Path | None) -> Path | None:
    """The file of statements that `check` reads; None where there is none."""
    try:
        return statements or find_statements(result)
    except RefusedError:
        return None


def document(report: Report) -> dict[str, object]:
    """The report as the document of `--json`."""
    return {
        "schema": "reprobuild.signatures/1",
        "ok": report.ok,
        "statements": [
            {
                "what": _printable(one.what),
                "predicate_type": None if one.predicate_type is None else _printable(one.predicate_type),
                "artifact_id": None if one.artifact_id is None else _printable(one.artifact_id),
                "signed_by": list(one.signed_by),
                "problems": _fields(one.problems),
                "notes": _fields(one.notes),
            }
            for one in report.statements
        ],
        "problems": _fields(report.problems),
    }


def text_lines(report: Report) -> list[str]:
    """The report for people."""
    lines = []
    for one in report.statements:
        by = f"signed by {', '.join(one.signed_by)}" if one.signed_by else "signed by nobody who counts"
        about = f" of {one.artifact_id}" if one.artifact_id else ""
        lines.append(f"{one.what}: {one.predicate_type or 'not read'}{about}, {by}")
        lines += [f"  {problem.slug}: {problem.message}" for problem in one.problems]
        lines += [f"  note: {note.slug}: {note.message}" for note in one.notes]
    lines += [f"{problem.slug}: {problem.message}" for problem in report.problems]
    return [*map(_printable, lines), "signatures: ok" if report.ok else "signatures: rejected"]


def _fields(problems: Sequence[Problem]) -> list[dict[str, str]]:
    return [{"slug": problem.slug, "message": _printable(problem.message)} for problem in problems]


def _refusal(problem: Problem) -> dict[str, object]:
    """As reprobuild says errors: the trust file cannot be used."""
    message = _printable(problem.message)
    return {"schema": "reprobuild.error/1", "slug": problem.slug, "exit_status": 2, "message": message}


def _printable(text: str) -> str:
    """Names come from whoever made the folder: what steers a terminal is shown as an escape."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


if __name__ == "__main__":
    sys.exit(main())
