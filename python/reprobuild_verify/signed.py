"""Is a statement signed as the trust file asks? Its files are not looked at: they need not be here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from reprobuild_verify.check import _rules, _signers
from reprobuild_verify.dsse import parse_envelope
from reprobuild_verify.problems import Problem, RefusedError
from reprobuild_verify.statement import model_name, parse_statement
from reprobuild_verify.trust import Trust


@dataclass(frozen=True)
class Signed:
    signed_by: tuple[str, ...]  # names of trusted keys
    problems: tuple[Problem, ...]  # empty where the rules hold


def check_signatures(envelope: bytes, what: str, trust: Trust, now: datetime) -> Signed:
    """
    Args:
        envelope: DSSE, with a statement that names its model.
        what: how problems call it.
    """
    if (fault := trust.fault(now)) is not None:
        return Signed((), (Problem(*fault),))
    try:
        parsed = parse_envelope(envelope, what)
        signers, faults = _signers(parsed, trust, now)
        if not signers:  # nothing that is signed by nobody is even parsed
            return Signed((), tuple(faults))
        statement = parse_statement(parsed.payload, what)
    except RefusedError as refused:
        return Signed((), (refused.problem,))
    missed = _rules(trust, model_name(statement, {}, Path()), statement.predicate_type, signers)
    return Signed(tuple(sorted(signers)), (*missed, *(faults if missed else ())))
