"""Who signed a result? Checked against a trust file where there is one; else only what the envelopes name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from reprobuild.core.risks import SignedStatement
from reprobuild.services.trusted import trust_file
from reprobuild_verify.check import verify
from reprobuild_verify.dsse import parse_envelope
from reprobuild_verify.find import STATEMENTS, find_record, find_statements
from reprobuild_verify.problems import Problem, RefusedError
from reprobuild_verify.statement import parse_statement


@dataclass(frozen=True)
class Signatures:
    """
    Args:
        file: the statements; None: there are none.
        problems: of all of them together.
    """

    statements: tuple[SignedStatement, ...] = ()
    problems: tuple[str, ...] = ()
    file: Path | None = None


def signatures(result: Path, artifact_id: str, trust: Path | None, now: datetime) -> Signatures:
    """Of the statements beside a result.

    Raises:
        TrustFileError: the trust file cannot be read.
    """
    rules = trust_file(trust) if trust is not None else None
    try:
        file = find_statements(result)
    except RefusedError as refused:
        missing = f"{refused.problem.slug}: no signed statements on it lie beside the result"
        return Signatures(problems=(missing,) if rules is not None else ())
    if rules is None:
        if file.name != f"{artifact_id}{STATEMENTS}":  # of another artifact, which only a check would tell
            return Signatures()
        lines = [line for line in file.read_bytes().split(b"\n") if line.strip()]
        return Signatures(tuple(_named(line, file.name) for line in lines), file=file)
    report = verify(result.resolve(), file, rules, now=now, record=find_record(file))
    statements = tuple(
        SignedStatement(one.predicate_type, one.signed_by, True, _words(one.problems, file))
        for one in report.statements
    )
    return Signatures(statements, _words(report.problems, file), file)


def _named(line: bytes, what: str) -> SignedStatement:
    """What an envelope says of itself; nothing of it was checked."""
    try:
        envelope = parse_envelope(line, what)
        by = tuple(one.keyid or "a key without an id" for one in envelope.signatures)
        return SignedStatement(parse_statement(envelope.payload, what).predicate_type, by, False)
    except RefusedError as refused:
        return SignedStatement(None, (), False, _words((refused.problem,), Path(what)))


def _words(problems: Iterable[Problem], file: Path) -> tuple[str, ...]:
    """For people, without the folder that the statements lie in: a report does not depend on it."""
    return tuple(f"{one.slug}: {one.message.replace(str(file), file.name)}" for one in problems)
