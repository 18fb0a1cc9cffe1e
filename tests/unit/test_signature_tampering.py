"""Every way to tamper with a signed artifact is caught, and named: one row each."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from reprobuild.core.dsse import compact
from reprobuild.domain.attestation import PREDICATES
from reprobuild_verify.dsse import IN_TOTO, pae
from reprobuild_verify.statement import ARTIFACT

from .signing_examples import FILES, KEYS, RULE, SignedArtifact, envelope, signature, write_files

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
Tamper = Callable[[SignedArtifact], Any]


def append(name: str) -> Tamper:
    def tamper(it: SignedArtifact) -> None:
        with (it.result / name).open("ab") as file:
            file.write(b" ")

    return tamper


def add(name: str, data: bytes = b"") -> Tamper:
    def tamper(it: SignedArtifact) -> None:
        (it.result / name).parent.mkdir(parents=True, exist_ok=True)
        (it.result / name).write_bytes(data)

    return tamper


def remove(name: str) -> Tamper:
    return lambda it: (it.result / name).unlink()


def swap(one: str, other: str) -> Tamper:
    def tamper(it: SignedArtifact) -> None:
        (it.result / one).write_bytes(FILES[other])
        (it.result / other).write_bytes(FILES[one])

    return tamper


def link(it: SignedArtifact) -> None:
    shutil.copy(it.result / "weights.safetensors", it.folder / "same")
    (it.result / "weights.safetensors").unlink()
    (it.result / "weights.safetensors").symlink_to(it.folder / "same")


def rebuilt_manifest(it: SignedArtifact) -> None:
    write_files(it.result, {**FILES, "weights.safetensors": b"others"})


def other_version(it: SignedArtifact) -> None:
    shutil.rmtree(it.result)
    write_files(it.result, version="1.0.1")


def replayed(it: SignedArtifact) -> None:
    it.sign(it.payload(write_files(it.folder / "older", {"weights.safetensors": b"older"}, version="0.9.0")))


def second_line(make: Callable[[SignedArtifact], str]) -> Tamper:
    return lambda it: it.statements.write_text(it.statements.read_text() + make(it) + "\n")


def of_another_model(it: SignedArtifact) -> str:
    other = it.payload(write_files(it.folder / "other", version="2.0.0"))
    return compact(envelope(compact(other).encode(), ("alice", "bob")))


def signed(change: Callable[[dict[str, Any]], Any]) -> Tamper:
    """Another statement, signed by the right keys."""

    def tamper(it: SignedArtifact) -> None:
        payload = it.payload()
        change(payload)
        it.sign(payload)

    return tamper


def signed_text(change: Callable[[str], str]) -> Tamper:
    return lambda it: it.sign(change(compact(it.payload())).encode())


def in_envelope(change: Callable[[dict[str, Any]], Any]) -> Tamper:
    def tamper(it: SignedArtifact) -> None:
        fields = it.envelope()
        change(fields)
        it.write(fields)

    return tamper


def in_text(change: Callable[[str], str]) -> Tamper:
    return lambda it: it.statements.write_text(change(it.statements.read_text()))


def edited_payload(fields: dict[str, Any]) -> None:
    text = base64.b64decode(fields["payload"]).replace(b'"1.0.0"', b'"1.0.1"')
    fields["payload"] = base64.b64encode(text).decode()


def flipped(fields: dict[str, Any]) -> None:
    raw = bytearray(base64.b64decode(fields["signatures"][0]["sig"]))
    raw[10] ^= 1
    fields["signatures"][0]["sig"] = base64.b64encode(bytes(raw)).decode()


def signed_over(message: Callable[[bytes], bytes]) -> Tamper:
    """alice's signature, but of other bytes than those of DSSE."""

    def change(fields: dict[str, Any]) -> None:
        fields["signatures"][0] = signature("alice", message(base64.b64decode(fields["payload"])))

    return in_envelope(change)


def by(*names: str, named: str | None = None) -> Tamper:
    """Signed by these; the first says that it is by `named`."""

    def tamper(it: SignedArtifact) -> None:
        it.sign(it.payload(), names)
        fields = it.envelope()
        if named is not None:
            fields["signatures"][0]["keyid"] = KEYS[named].keyid if named in KEYS else named
        it.write(fields)

    return tamper


def mirrored(fields: dict[str, Any]) -> None:
    """The other signature that anybody can compute from one of ECDSA."""
    raw = base64.b64decode(fields["signatures"][1]["sig"])
    r, s = decode_dss_signature(raw)
    twin = base64.b64encode(encode_dss_signature(r, P256_ORDER - s)).decode()
    fields["signatures"] = [fields["signatures"][1], {"keyid": "", "sig": twin}]


def key(name: str, **fields: Any) -> Tamper:
    return lambda it: it.keys[name].update(fields)


def rule(**fields: Any) -> Tamper:
    return lambda it: it.rules[0].update(fields)


def in_bundle(change: Callable[[dict[str, Any]], Any]) -> Tamper:
    def tamper(it: SignedArtifact) -> None:
        fields = it.bundle()
        change(fields)
        it.statements.write_text(json.dumps(fields))

    return tamper


def in_resources(change: Callable[[dict[str, Any]], Any]) -> Tamper:
    """Another statement in the bundle, signed by bob."""

    def change_bundle(fields: dict[str, Any]) -> None:
        payload = json.loads(base64.b64decode(fields["dsseEnvelope"]["payload"]))
        change(payload)
        fields["dsseEnvelope"] = envelope(compact(payload).encode(), ("bob",))

    return in_bundle(change_bundle)


def attested(change: Callable[[list[dict[str, Any]]], Any] = lambda lines: None) -> Tamper:
    """The artifact's statement and the four of `attest`, all required; then a change of their lines."""

    def tamper(it: SignedArtifact) -> None:
        it.rules[0].update(predicates=[ARTIFACT, *PREDICATES], required=True)
        payload = it.payload()
        made = [payload, *({**payload, "predicateType": kind, "predicate": SAID} for kind in PREDICATES)]
        lines = [envelope(compact(one).encode(), ("alice", "bob")) for one in made]
        change(lines)
        it.write(*lines)

    return tamper


def resigned(line: int, by: tuple[str, ...] = ("alice", "bob"), **fields: Any) -> Tamper:
    """One line with other fields in its statement, and new signatures."""

    def change(lines: list[dict[str, Any]]) -> None:
        payload = json.loads(base64.b64decode(lines[line]["payload"])) | fields
        lines[line] = envelope(compact(payload).encode(), by)

    return attested(change)


def in_payload(line: int, old: str, new: str) -> Tamper:
    """One line with another text in its statement, under the old signatures."""

    def change(lines: list[dict[str, Any]]) -> None:
        text = base64.b64decode(lines[line]["payload"]).decode()
        assert old in text
        lines[line]["payload"] = base64.b64encode(text.replace(old, new).encode()).decode()

    return attested(change)


def then(*steps: Tamper) -> Tamper:
    def tamper(it: SignedArtifact) -> None:
        for step in steps:
            step(it)

    return tamper


SAID = {
    "bomFormat": "CycloneDX",
    "result": "FAILED",
    "buildDefinition": {"buildType": "urn:reprobuild:build:1"},
}
REVOKED = {"on": "2026-11-01", "reason": "laptop lost"}
CASES: dict[str, tuple[Tamper, set[str]]] = {
    # files
    "metrics edited": (append("metrics.json"), {"metrics-changed"}),
    "card edited": (append("README.md"), {"card-changed"}),
    "spec edited": (append("spec.json"), {"spec-changed"}),
    "lock edited": (append("reprobuild.lock"), {"lock-changed"}),
    "code edited": (append("source/train.py"), {"file-changed"}),
    "weights edited": (append("weights.safetensors"), {"weights-changed"}),
    "weights emptied": (add("weights.safetensors"), {"weights-changed"}),
    "two weights swapped": (swap("weights.safetensors", "encoder.safetensors"), {"weights-swapped"}),
    "one weights file put twice": (
        add("weights.safetensors", FILES["encoder.safetensors"]),
        {"weights-swapped"},
    ),
    "two other files swapped": (swap("spec.json", "metrics.json"), {"file-swapped"}),
    "manifest edited": (append("manifest.json"), {"other-artifact", "manifest-changed"}),
    "manifest made to fit other weights": (
        rebuilt_manifest,
        {"other-artifact", "manifest-changed", "weights-changed"},
    ),
    "a whole other version": (other_version, {"other-artifact", "manifest-changed"}),
    "weights missing": (remove("weights.safetensors"), {"file-missing"}),
    "card missing": (remove("README.md"), {"file-missing"}),
    "manifest broken": (add("manifest.json", b"{"), {"manifest-changed"}),
    "manifest without end": (add("manifest.json", b"[" * 200_000), {"manifest-changed"}),
    "manifest missing": (remove("manifest.json"), {"file-missing"}),
    "file renamed": (
        lambda it: (it.result / "spec.json").rename(it.result / "spec2.json"),
        {"file-missing", "file-extra"},
    ),
    "extra file": (add("pickle.bin", b"x"), {"file-extra"}),
    "extra empty file": (add("__init__.py"), {"file-extra"}),
    "extra hidden file": (add(".hidden", b"x"), {"file-extra"}),
    "extra file in a folder": (add("source/evil.py", b"x"), {"file-extra"}),
    "extra link to a folder": (lambda it: (it.result / "more").symlink_to(it.folder), {"file-extra"}),
    "extra pipe": (lambda it: os.mkfifo(it.result / "pipe"), {"file-extra"}),
    "weights a link to the same bytes": (link, {"weights-changed"}),
    # record
    "record edited": (lambda it: it.record.write_bytes(b"{}"), {"record-changed"}),
    "record missing": (lambda it: it.record.unlink(), {"record-missing"}),
    # statements
    "statement of an older version": (
        replayed,
        {"other-artifact", "file-extra", "manifest-changed", "weights-changed"},
    ),
    "statements missing": (lambda it: it.statements.unlink(), {"statement-missing"}),
    "statements emptied": (lambda it: it.statements.write_text(""), {"statement-missing"}),
    "statement of another model added": (
        second_line(of_another_model),
        {"other-artifact", "manifest-changed"},
    ),
    "garbage added": (second_line(lambda it: "garbage"), {"not-json"}),
    "statement cut off": (in_text(lambda text: text[:200]), {"not-json", "statement-missing"}),
    "statement in a list": (in_text(lambda text: f"[{text.strip()}]"), {"not-json", "statement-missing"}),
    "statement of another type": (
        signed(lambda it: it.update(_type="https://in-toto.io/Statement/v0.1")),
        {"statement-malformed", "statement-missing"},
    ),
    "predicate of another type": (
        signed(lambda it: it.update(predicateType="https://slsa.dev/provenance/v1")),
        {"statement-missing"},
    ),
    "a file left out of the statement": (signed(lambda it: it["subject"].pop(0)), {"file-extra"}),
    "a file twice in the statement": (
        signed(lambda it: it["subject"].append(it["subject"][0])),
        {"statement-malformed", "statement-missing"},
    ),
    "no subject": (signed(lambda it: it.update(subject=[])), {"statement-malformed", "statement-missing"}),
    "a digest that is none": (
        signed(lambda it: it["subject"][0]["digest"].update(sha256="ABC")),
        {"statement-malformed", "statement-missing"},
    ),
    "artifact id of another": (
        signed(lambda it: it["predicate"].update(artifactId="digits-1.0.0-aaaaaaaaaaaa")),
        {"statement-malformed", "statement-missing"},
    ),
    "name of another model": (
        signed(lambda it: it["predicate"].update(name="mnist")),
        {"statement-malformed", "statement-missing"},
    ),
    "manifest's digest of another": (
        signed(lambda it: it["predicate"].update(manifestSha256="0" * 64)),
        {"statement-malformed", "statement-missing"},
    ),
    "record's digest of another": (
        signed(lambda it: it["predicate"].update(recordSha256="0" * 64)),
        {"record-changed"},
    ),
    "duplicate key in the payload": (
        signed_text(lambda text: '{"_type":"x",' + text[1:]),
        {"duplicate-json-key", "statement-missing"},
    ),
    "duplicate key inside the predicate": (
        signed_text(lambda text: text.replace('"version":', '"version":"2","version":')),
        {"duplicate-json-key", "statement-missing"},
    ),
    "NaN in the payload": (
        signed_text(lambda text: text.replace('"version":"1.0.0"', '"version":NaN')),
        {"not-json", "statement-missing"},
    ),
    # envelopes
    "duplicate key in the envelope": (
        in_text(lambda text: '{"payload":"",' + text[1:]),
        {"duplicate-json-key", "statement-missing"},
    ),
    "payload edited": (in_envelope(edited_payload), {"signature-wrong", "statement-missing"}),
    "payload type changed": (
        in_envelope(lambda it: it.update(payloadType="application/json")),
        {"payload-type", "statement-missing"},
    ),
    "payload type in other letters": (
        in_envelope(lambda it: it.update(payloadType=IN_TOTO.upper())),
        {"payload-type", "statement-missing"},
    ),
    "payload that is no base 64": (
        in_envelope(lambda it: it.update(payload="{}")),
        {"not-an-envelope", "statement-missing"},
    ),
    "signatures left out": (
        in_envelope(lambda it: it.pop("signatures")),
        {"not-an-envelope", "statement-missing"},
    ),
    "signatures emptied": (
        in_envelope(lambda it: it.update(signatures=[])),
        {"signature-missing", "statement-missing"},
    ),
    # signatures
    "one of two stripped": (in_envelope(lambda it: it["signatures"].pop()), {"threshold-missed"}),
    "a bit flipped": (in_envelope(flipped), {"threshold-missed", "signature-wrong"}),
    "an empty signature": (
        in_envelope(lambda it: it["signatures"][0].update(sig="")),
        {"threshold-missed", "signature-wrong"},
    ),
    "a signature without type and lengths": (
        signed_over(lambda body: body),
        {"threshold-missed", "signature-wrong"},
    ),
    "a signature for another type": (
        signed_over(lambda body: pae("application/json", body)),
        {"threshold-missed", "signature-wrong"},
    ),
    "a stranger's signature": (by("alice", "mallory"), {"threshold-missed", "key-unknown"}),
    "a stranger in another's name": (
        by("mallory", "bob", named="alice"),
        {"threshold-missed", "signature-wrong"},
    ),
    "strangers alone": (by("mallory"), {"key-unknown", "statement-missing"}),
    "one key twice": (by("alice", "alice"), {"threshold-missed", "signature-repeated"}),
    "one key twice, under another's id": (
        by("alice", "alice", named="bob"),
        {"threshold-missed", "signature-repeated"},
    ),
    "one key twice, under an unknown id": (
        by("alice", "alice", named="ab" * 32),
        {"threshold-missed", "signature-repeated"},
    ),
    "one ECDSA signature in both its forms": (
        in_envelope(mirrored),
        {"threshold-missed", "signature-repeated"},
    ),
    "ECDSA under the id of an Ed25519 key": (
        then(rule(keys=["alice"], threshold=1), by("bob", named="alice")),
        {"threshold-missed", "key-not-allowed"},
    ),
    # keys and rules
    "a key expired": (key("bob", expires="2026-11-21"), {"threshold-missed", "key-expired"}),
    "a key revoked": (key("bob", revoked=REVOKED), {"threshold-missed", "key-revoked"}),
    "all keys revoked": (
        then(key("alice", revoked=REVOKED), key("bob", revoked=REVOKED)),
        {"key-revoked", "statement-missing"},
    ),
    "trust file expired": (lambda it: setattr(it, "trust_expires", "2026-01-01"), {"trust-expired"}),
    "nobody may sign this model": (rule(models=["mnist"]), {"rule-missing"}),
    "nobody may sign this predicate": (rule(predicates=["https://slsa.dev/*"]), {"rule-missing"}),
    "a further rule asks for another key": (
        then(
            by("bob"),
            rule(threshold=1),
            lambda it: it.rules.append({**RULE, "keys": ["alice"], "threshold": 1}),
        ),
        {"threshold-missed", "key-not-allowed"},
    ),
    # what is attested
    "attested: provenance edited": (
        in_payload(1, "urn:reprobuild:build:1", "urn:reprobuild:build:2"),
        {"signature-wrong", "predicate-missing"},
    ),
    "attested: a failed test turned": (
        in_payload(2, "FAILED", "PASSED"),
        {"signature-wrong", "predicate-missing"},
    ),
    "attested: one predicate called another": (
        in_payload(3, PREDICATES[2], PREDICATES[1]),
        {"signature-wrong", "predicate-missing"},
    ),
    "attested: a component of the bill of materials edited": (
        in_payload(4, '"bomFormat":"CycloneDX"', '"bomFormat":"CycloneDY"'),
        {"signature-wrong", "predicate-missing"},
    ),
    "attested: a subject's digest edited": (
        in_payload(4, '"sha256":"', '"sha256":"0'),
        {"signature-wrong", "predicate-missing"},
    ),
    "attested: provenance left out": (attested(lambda it: it.pop(1)), {"predicate-missing"}),
    "attested: all left out": (
        attested(lambda it: it.__delitem__(slice(1, None))),
        {"predicate-missing"},
    ),
    "attested: the artifact's own statement left out": (
        attested(lambda it: it.pop(0)),
        {"statement-missing", "predicate-missing"},
    ),
    "attested: one statement in another's place": (
        attested(lambda it: it.__setitem__(2, it[1])),
        {"predicate-missing"},
    ),
    "attested: signatures of another statement": (
        attested(lambda it: it[1].update(signatures=it[2]["signatures"])),
        {"signature-wrong", "predicate-missing"},
    ),
    "attested: signatures stripped": (
        attested(lambda it: it[1].update(signatures=[])),
        {"signature-missing", "predicate-missing"},
    ),
    "attested: by one of two": (resigned(1, ("alice",)), {"threshold-missed", "predicate-missing"}),
    "attested: by a stranger": (resigned(1, ("mallory",)), {"key-unknown", "predicate-missing"}),
    "attested: by a revoked key": (
        then(attested(), key("bob", revoked=REVOKED)),
        {"threshold-missed", "key-revoked", "predicate-missing"},
    ),
    "attested: of another model": (
        resigned(1, subject=[{"name": "manifest.json", "digest": {"sha256": "0" * 64}}]),
        {"other-artifact", "predicate-missing"},
    ),
    "attested: of no manifest": (
        resigned(1, subject=[{"name": "x", "digest": {"sha256": "0" * 64}}]),
        {"other-artifact", "predicate-missing"},
    ),
    "attested: of nothing": (resigned(1, subject=[]), {"statement-malformed", "predicate-missing"}),
    "attested: a predicate that nobody may sign": (
        resigned(1, predicateType="https://slsa.dev/provenance/v0.2"),
        {"rule-missing", "predicate-missing"},
    ),
    "attested: weights edited after it": (
        then(attested(), append("weights.safetensors")),
        {"weights-changed", "predicate-missing"},
    ),
    # OpenSSF Model Signing
    "bundle: weights edited": (
        then(in_bundle(lambda it: None), append("weights.safetensors")),
        {"weights-changed"},
    ),
    "bundle: extra file": (then(in_bundle(lambda it: None), add("x", b"")), {"file-extra"}),
    "bundle: of another kind": (
        in_bundle(lambda it: it.update(mediaType="application/json")),
        {"not-an-envelope", "statement-missing"},
    ),
    "bundle: a resource's digest": (
        in_resources(lambda it: it["predicate"]["resources"][0].update(digest="0" * 64)),
        {"statement-malformed", "statement-missing"},
    ),
    "bundle: about no file": (
        in_resources(
            lambda it: (
                it["predicate"].update(resources=[]),
                it["subject"][0].update(digest={"sha256": hashlib.sha256().hexdigest()}),
            )
        ),
        {"statement-malformed", "statement-missing"},
    ),
    "bundle: a resource left out": (
        in_resources(lambda it: it["predicate"]["resources"].pop()),
        {"statement-malformed", "statement-missing"},
    ),
    "bundle: shards": (
        in_resources(lambda it: it["predicate"]["serialization"].update(method="shards")),
        {"statement-malformed", "statement-missing"},
    ),
    "bundle: paths left out that are none": (
        in_resources(lambda it: it["predicate"]["serialization"].update(ignore_paths=None)),
        {"statement-malformed", "statement-missing"},
    ),
    "bundle: links allowed": (
        in_resources(lambda it: it["predicate"]["serialization"].update(allow_symlinks=True)),
        {"statement-malformed", "statement-missing"},
    ),
}


@pytest.fixture
def artifact(tmp_path: Path) -> SignedArtifact:
    return SignedArtifact(tmp_path)


def test_nothing_is_wrong_with_what_nobody_touched(artifact: SignedArtifact) -> None:
    assert artifact.slugs() == set()
    attested()(artifact)
    assert artifact.slugs() == set()
    artifact.bundle()
    assert artifact.slugs() == set()


@pytest.mark.parametrize("case", CASES)
def test_it_is_caught_and_named(case: str, artifact: SignedArtifact) -> None:
    tamper, expected = CASES[case]
    tamper(artifact)
    assert artifact.slugs() == expected


def test_there_are_forty_and_more() -> None:
    assert len(CASES) >= 40


def test_the_page_of_statements_names_every_slug() -> None:
    root = Path(__file__).parents[2]
    page = (root / "docs/formats/statement.md").read_text(encoding="utf-8")
    section = page.partition("## What a problem is called")[2].partition("\n## ")[0]
    listed = set(re.findall(r"^\| `([a-z-]+)` \|", section, re.MULTILINE))
    found = set().union(*(expected for _, expected in CASES.values()))
    assert found | {"unreadable", "trust-file"} == listed
