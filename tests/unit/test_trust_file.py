"""What a trust file may say, and what is refused with a reason; the JSON Schema agrees."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256K1, generate_private_key

from reprobuild.core.schemas import trust_schema
from reprobuild_verify.problems import RefusedError
from reprobuild_verify.trust import Rule, parse_trust

from .signing_examples import RULE, SignedArtifact

OTHER_CURVE = (
    generate_private_key(SECP256K1())
    .public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    .decode()
)


@pytest.fixture
def text(tmp_path: Path) -> str:
    return SignedArtifact(tmp_path).trust


def test_it_is_read(text: str) -> None:
    trust = parse_trust(text.replace("[keys.bob]", '[keys.bob]\nexpires = "2027-01-01"').encode())
    assert [(key.name, key.public.algorithm) for key in trust.keys] == [
        ("alice", "ed25519"),
        ("bob", "ecdsa-p256"),
    ]
    assert trust.keys[1].expires == datetime(2027, 1, 1, tzinfo=UTC)
    assert trust.rules[0].threshold == 2
    jsonschema.validate(tomllib.loads(text), trust_schema())


# (what is replaced, by what, words of the reason, whether the schema can tell too)
REFUSED = {
    "another version": ("trust/1", "trust/2", "not 'reprobuild.trust/1'", True),
    "an unknown key": ("[[rules]]", "[[rules]]\nmodel = 'x'", "unknown key model", True),
    "an unknown key at the top": ("schema", "owner = 'x'\nschema", "unknown key owner", True),
    "no rules": (None, "rules = []", "no rules", True),
    "an algorithm that the key is not of": (
        '"ed25519"',
        '"ecdsa-p256"',
        "but the key is of 'ed25519'",
        False,
    ),
    "an algorithm that nobody knows": ('"ed25519"', '"rsa"', "but the key is of 'ed25519'", True),
    "a threshold of none": ("threshold = 2", "threshold = 0", "expected 1 to 2", True),
    "a threshold of more keys than there are": ("threshold = 2", "threshold = 3", "expected 1 to 2", False),
    "a threshold that is no number": ("threshold = 2", "threshold = true", "expected 1 to 2", True),
    "required, of any predicate": (
        "threshold = 2",
        "threshold = 2\nrequired = true",
        "is no one predicate",
        False,
    ),
    "required, and no yes or no": (
        "threshold = 2",
        "threshold = 2\nrequired = 1",
        "expected true or false",
        True,
    ),
    "a key that is not there": ('["alice", "bob"]', '["alice", "carol"]', "there is no key carol", False),
    "a key twice in a rule": ('["alice", "bob"]', '["alice", "alice"]', "stands there twice", True),
    "no models": ('["digits"]', "[]", "expected a list of names", True),
    "models that are no list": ('["digits"]', '"digits"', "expected a list of names", True),
    "a day that is none": ("[keys.bob]", '[keys.bob]\nexpires = "2027-13-01"', "expected a day", False),
    "a time that is no day": ("[keys.bob]", "[keys.bob]\nexpires = 2027-01-01", "expected a day", True),
    "a day in another spelling": ("[keys.bob]", '[keys.bob]\nexpires = "20270101"', "expected a day", True),
    "an empty day": ("[keys.bob]", '[keys.bob]\nexpires = ""', "expected a day", True),
    "a revocation without a reason": (
        "[keys.bob]",
        '[keys.bob]\nrevoked = { on = "2026-01-01" }',
        "no reason",
        True,
    ),
    "a table twice": ("[keys.bob]", "[keys.alice]", "Cannot declare", True),
    "no TOML": ("schema =", "schema", "", True),
}


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused(case: str, text: str) -> None:
    old, new, reason, schema_tells = REFUSED[case]
    edited = f"{new}\n{text.partition('[[rules]]')[0]}" if old is None else text.replace(old, new, 1)
    assert edited != text
    with pytest.raises(RefusedError) as refused:
        parse_trust(edited.encode())
    assert refused.value.problem.slug == "trust-file"
    assert reason in str(refused.value)
    assert schema_tells == (not _schema_accepts(edited))


def test_lists_without_end_are_refused() -> None:
    with pytest.raises(RefusedError) as refused:
        parse_trust(b"schema = " + b"[" * 50_000)
    assert refused.value.problem.slug == "trust-file"


def test_one_key_under_two_names_is_refused(tmp_path: Path) -> None:
    artifact = SignedArtifact(tmp_path)
    artifact.keys["twin"] = dict(artifact.keys["alice"])
    with pytest.raises(RefusedError, match=r"keys\.alice and keys\.twin are the same key"):
        parse_trust(artifact.trust.encode())


@pytest.mark.parametrize(
    "pem", ["", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", OTHER_CURVE]
)
def test_a_key_of_another_kind_is_refused(pem: str, tmp_path: Path) -> None:
    artifact = SignedArtifact(tmp_path)
    artifact.keys["bob"]["public_key"] = pem
    with pytest.raises(RefusedError, match=r"keys\.bob\.public_key: n"):
        parse_trust(artifact.trust.encode())


def test_every_rule_that_covers_a_statement_must_hold(tmp_path: Path) -> None:
    artifact = SignedArtifact(tmp_path)
    artifact.rules = [
        {**RULE, "keys": ["alice"], "threshold": 1},
        {**RULE, "models": ["dig*"], "keys": ["bob"], "threshold": 1},
    ]
    assert artifact.slugs() == set()
    artifact.sign(artifact.payload(), ["alice"])
    assert artifact.slugs() == {"threshold-missed", "key-not-allowed"}


@pytest.mark.parametrize(
    ("pattern", "name", "covers"),
    [
        ("*", "digits", True),
        ("dig*", "digits", True),
        ("dig", "digits", False),
        ("d?gits", "digits", False),
        ("*s", "digits", True),
    ],
)
def test_only_a_star_is_special(pattern: str, name: str, covers: bool) -> None:
    assert Rule((pattern,), ("*",), ("alice",), 1).covers(name, "any?[type]") is covers


def _schema_accepts(text: str) -> bool:
    try:
        jsonschema.validate(tomllib.loads(text), trust_schema())
    except (ValueError, jsonschema.ValidationError):
        return False
    return True
