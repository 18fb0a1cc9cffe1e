"""The procedure: verify signatures, parse exactly the verified bytes, ask the rules, compare the files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from reprobuild_verify.dsse import Envelope, parse_envelope
from reprobuild_verify.files import folder_digests
from reprobuild_verify.problems import Problem, RefusedError
from reprobuild_verify.statement import check_content, manifest_model, model_name, parse_statement
from reprobuild_verify.trust import Trust, TrustedKey


@dataclass(frozen=True)
class Checked:
    """One statement: `problems` is empty where it holds; `notes` are signatures that did not count."""

    what: str  # file and line
    predicate_type: str | None
    artifact_id: str | None  # that an artifact statement is about, by what was signed
    signed_by: tuple[str, ...]  # names of trusted keys
    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...]


@dataclass(frozen=True)
class Report:
    statements: tuple[Checked, ...]
    problems: tuple[Problem, ...]  # of the whole

    @property
    def ok(self) -> bool:
        return not self.problems and all(not one.problems for one in self.statements)


@dataclass(frozen=True)
class Signed:
    """Who signed a statement: `problems` is empty where the rules hold."""

    signed_by: tuple[str, ...]  # names of trusted keys
    problems: tuple[Problem, ...]


def verify(
    folder: Path, statements: Path, trust: Trust, *, now: datetime, record: Path | None = None
) -> Report:
    """Check every statement of a file against a folder: each one must hold, and one must cover all files.

    What a rule requires must be among them.

    Args:
        statements: JSON lines of DSSE envelopes, or one Sigstore bundle of OpenSSF Model Signing.
        record: the build record, where a statement holds its digest.
    """
    if (fault := trust.fault(now)) is not None:
        return Report((), (Problem(*fault),))
    try:
        lines = _lines(statements)
    except OSError as error:
        return Report((), (Problem("statement-missing", f"{statements}: {error.strerror}"),))
    try:
        found = folder_digests(folder)
    except OSError as error:
        return Report((), (Problem("unreadable", f"{error.filename}: {error.strerror}"),))
    checked, complete = [], False
    for number, line in enumerate(lines, 1):
        one, covers_all = _check(
            line, f"{statements.name}, statement {number}", folder, found, trust, now, record
        )
        checked.append(one)
        complete |= covers_all
    problems = _not_there(trust, manifest_model(folder), checked)
    if not complete:
        problems.append(Problem("statement-missing", f"no statement in {statements} covers all files"))
    return Report(tuple(checked), tuple(problems))


def _not_there(trust: Trust, model: str | None, checked: list[Checked]) -> list[Problem]:
    """Predicates that rules require of this model, and that no statement has that holds."""
    there = {one.predicate_type for one in checked if not one.problems}
    rules = [rule for rule in trust.rules if rule.required and model is not None and rule.is_about(model)]
    missing = {predicate for rule in rules for predicate in rule.predicates} - there
    return [
        Problem("predicate-missing", f"the trust file asks for {one} of {model}; no statement with it holds")
        for one in sorted(missing)
    ]


def verify_signatures(envelope: bytes, what: str, trust: Trust, *, now: datetime) -> Signed:
    """Check one statement that names its model; its files are not looked at and need not be here.

    Args:
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


def _lines(file: Path) -> list[bytes]:
    """A bundle may be written over many lines; of `.jsonl` each line is one document."""
    data = file.read_bytes()
    return [line for line in data.split(b"\n") if line.strip()] if file.suffix == ".jsonl" else [data]


def _check(
    data: bytes,
    what: str,
    folder: Path,
    found: dict[str, str],
    trust: Trust,
    now: datetime,
    record: Path | None,
) -> tuple[Checked, bool]:
    try:
        envelope = parse_envelope(data, what)
        signed_by, faults = _signers(envelope, trust, now)
        if not signed_by:  # nothing that is signed by nobody is even parsed
            return Checked(what, None, None, (), tuple(faults), ()), False
        statement = parse_statement(envelope.payload, what)
    except RefusedError as refused:
        return Checked(what, None, None, (), (refused.problem,), ()), False
    model = model_name(statement, found, folder)
    missed = _rules(trust, model, statement.predicate_type, signed_by)
    problems = (*missed, *(faults if missed else ()), *check_content(statement, folder, found, record))
    checked = Checked(
        what,
        statement.predicate_type,
        statement.artifact_id,
        tuple(sorted(signed_by)),
        problems,
        () if missed else tuple(faults),
    )
    return checked, statement.covers_all_files


def _signers(envelope: Envelope, trust: Trust, now: datetime) -> tuple[set[str], list[Problem]]:
    """Names of keys that signed and count now, each once; and what is wrong with the other signatures."""
    found: set[str] = set()
    faults = []
    for signature in envelope.signatures:
        hinted = [key for key in trust.keys if key.public.keyid == signature.keyid]
        # The hint is signed by nobody: it says what to try first, and decides nothing.
        key = next(
            (
                one
                for one in (*hinted, *trust.keys)
                if one.public.signed(envelope.signed_bytes, signature.sig)
            ),
            None,
        )
        if key is None:
            faults.append(_unverified(signature.keyid, hinted))
        elif (fault := key.fault(now)) is not None:
            faults.append(Problem(*fault))
        elif key.name in found:
            faults.append(Problem("signature-repeated", f"the key {key.name} signed twice; that counts once"))
        else:
            found.add(key.name)
    return found, faults


def _unverified(keyid: str, hinted: list[TrustedKey]) -> Problem:
    if hinted:
        return Problem(
            "signature-wrong", f"the signature that names the key {hinted[0].name} is not its signature"
        )
    return Problem("key-unknown", f"a signature by no key of the trust file (it names {keyid or 'none'})")


def _rules(trust: Trust, model: str, predicate_type: str, signers: set[str]) -> list[Problem]:
    """Every rule that covers the model and predicate must hold: a further rule can only demand more."""
    rules = [rule for rule in trust.rules if rule.covers(model, predicate_type)]
    if not rules:
        return [
            Problem(
                "rule-missing",
                f"the trust file says of nobody that they may sign {predicate_type} of {model}",
            )
        ]
    problems = []
    for rule in rules:
        counted = signers & set(rule.keys)
        if len(counted) < rule.threshold:
            by = ", ".join(sorted(counted)) or "none"
            problems.append(
                Problem(
                    "threshold-missed",
                    f"{rule.threshold} of {', '.join(rule.keys)} must sign {predicate_type} of {model}, {by} did",
                )
            )
            problems += [
                Problem("key-not-allowed", f"the key {name} may not sign {predicate_type} of {model}")
                for name in sorted(signers - set(rule.keys))
            ]
    return problems
