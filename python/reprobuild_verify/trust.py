"""The trust file: which keys there are, and what each may sign (docs/formats/trust.md)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from reprobuild_verify.problems import RefusedError
from reprobuild_verify.public_key import PublicKey, load_public_key

SCHEMA = "reprobuild.trust/1"


@dataclass(frozen=True)
class TrustedKey:
    name: str
    public: PublicKey
    expires: datetime | None
    revoked: str | None  # date and reason

    def fault(self, now: datetime) -> tuple[str, str] | None:
        """Why its signatures do not count now: slug and words."""
        if self.revoked is not None:
            return "key-revoked", f"the key {self.name} was revoked: {self.revoked}"
        if self.expires is not None and now >= self.expires:
            return "key-expired", f"the key {self.name} expired on {self.expires:%Y-%m-%d}"
        return None


@dataclass(frozen=True)
class Rule:
    models: tuple[str, ...]  # names, with * for any characters
    predicates: tuple[str, ...]
    keys: tuple[str, ...]
    threshold: int
    required: bool = False  # a statement of each of the predicates must be there

    def is_about(self, model: str) -> bool:
        return _matches(self.models, model)

    def covers(self, model: str, predicate_type: str) -> bool:
        return self.is_about(model) and _matches(self.predicates, predicate_type)


@dataclass(frozen=True)
class Trust:
    expires: datetime | None
    keys: tuple[TrustedKey, ...]
    rules: tuple[Rule, ...]

    def fault(self, now: datetime) -> tuple[str, str] | None:
        if self.expires is not None and now >= self.expires:
            return "trust-expired", f"the trust file expired on {self.expires:%Y-%m-%d}"
        return None


def read_trust(path: Path) -> Trust:
    """
    Raises:
        RefusedError: it cannot be read, or says something that cannot be meant.
    """
    try:
        return parse_trust(path.read_bytes(), str(path))
    except OSError as error:
        raise RefusedError("trust-file", f"{path}: {error.strerror}") from error


def parse_trust(data: bytes, what: str = "trust file") -> Trust:
    """
    Raises:
        RefusedError: as `read_trust`.
    """
    try:
        fields = tomllib.loads(data.decode("utf-8"))
        _only(fields, "", required={"schema", "keys", "rules"}, optional={"expires"})
        if fields["schema"] != SCHEMA:
            raise ValueError(f"schema {fields['schema']!r}, not {SCHEMA!r}")
        keys = tuple(_key(name, one) for name, one in fields["keys"].items())
        rules = tuple(
            _rule(number, one, {key.name for key in keys}) for number, one in enumerate(fields["rules"])
        )
        if not rules:
            raise ValueError("no rules: nobody may sign anything")
        by_keyid: dict[str, str] = {}
        for key in keys:
            other = by_keyid.setdefault(key.public.keyid, key.name)
            if other != key.name:  # one key under two names would count twice
                raise ValueError(f"keys.{other} and keys.{key.name} are the same key")
        return Trust(_moment(fields.get("expires"), "expires"), keys, rules)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise RefusedError("trust-file", f"{what}: {error}") from error


def _key(name: str, fields: Any) -> TrustedKey:
    where = f"keys.{name}"
    _only(fields, where, required={"algorithm", "public_key"}, optional={"expires", "revoked"})
    try:
        public = load_public_key(fields["public_key"])
    except ValueError as error:
        raise ValueError(f"{where}.public_key: {error}") from error
    if fields["algorithm"] != public.algorithm:
        raise ValueError(
            f"{where}: algorithm {fields['algorithm']!r}, but the key is of {public.algorithm!r}"
        )
    revoked = None
    if "revoked" in fields:
        _only(fields["revoked"], f"{where}.revoked", required={"on", "reason"})
        on = _moment(fields["revoked"]["on"], f"{where}.revoked.on")
        revoked = f"{on:%Y-%m-%d}, {fields['revoked']['reason']}"
    return TrustedKey(name, public, _moment(fields.get("expires"), f"{where}.expires"), revoked)


def _rule(number: int, fields: Any, known: set[str]) -> Rule:
    where = f"rules[{number}]"
    _only(fields, where, required={"models", "predicates", "keys", "threshold"}, optional={"required"})
    lists = {key: _names(fields[key], f"{where}.{key}") for key in ("models", "predicates", "keys")}
    if unknown := sorted(set(lists["keys"]) - known):
        raise ValueError(f"{where}.keys: there is no key {unknown[0]}")
    threshold = fields["threshold"]
    if type(threshold) is not int or not 1 <= threshold <= len(lists["keys"]):
        raise ValueError(
            f"{where}.threshold: {threshold!r}, expected 1 to {len(lists['keys'])}, the number of keys"
        )
    required = fields.get("required", False)
    if type(required) is not bool:
        raise ValueError(f"{where}.required: {required!r}, expected true or false")
    if required and (open_ := [one for one in lists["predicates"] if "*" in one]):
        raise ValueError(f"{where}.required: {open_[0]!r} is no one predicate that could be there")
    return Rule(lists["models"], lists["predicates"], lists["keys"], threshold, required)


def _names(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(one, str) and one for one in value):
        raise ValueError(f"{where}: expected a list of names")
    if len(set(value)) != len(value):
        raise ValueError(f"{where}: a name stands there twice")
    return tuple(value)


def _matches(patterns: tuple[str, ...], name: str) -> bool:
    """`*` stands for any characters, and nothing else is special: addresses may hold `?` and brackets."""
    return any(re.fullmatch(".*".join(map(re.escape, one.split("*"))), name, re.DOTALL) for one in patterns)


def _only(
    fields: Any, where: str, *, required: AbstractSet[str], optional: AbstractSet[str] = frozenset()
) -> None:
    if not isinstance(fields, dict):
        raise ValueError(f"{where}: expected a table")
    if missing := sorted(required - fields.keys()):
        raise ValueError(f"{where or 'top level'}: no {missing[0]}")
    if unknown := sorted(fields.keys() - required - optional):
        raise ValueError(f"{where or 'top level'}: unknown key {unknown[0]}")


def _moment(value: Any, where: str) -> datetime | None:
    """`2027-11-21` is the start of that day, UTC."""
    if value is None:
        return None
    try:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            raise ValueError(value)  # other spellings that `date` knows
        day = date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f'{where}: {value!r}, expected a day such as "2027-11-21"') from error
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
