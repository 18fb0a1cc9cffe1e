"""A signed artifact, its keys and its trust file, for tests to tamper with."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reprobuild.adapters.key_store import OpenKey
from reprobuild.core.dsse import compact
from reprobuild.core.model_signing import bundle
from reprobuild.domain.digest import Digest
from reprobuild.services.artifact import read_manifest
from reprobuild.services.sign import file_digests, statement
from reprobuild_verify.check import Report, verify
from reprobuild_verify.dsse import IN_TOTO, pae
from reprobuild_verify.public_key import PublicKey
from reprobuild_verify.trust import parse_trust

NOW = datetime(2026, 11, 21, tzinfo=UTC)
KEYS = {
    "alice": OpenKey(Ed25519PrivateKey.generate()),
    "bob": OpenKey(generate_private_key(SECP256R1())),
    "mallory": OpenKey(Ed25519PrivateKey.generate()),
}
FILES = {
    "README.md": b"# digits\n",
    "encoder.safetensors": b"encoder's weights",
    "weights.safetensors": b"weights",
    "metrics.json": b'{"accuracy": 0.975}',
    "spec.json": b'{"seed": 7}',
    "reprobuild.lock": b"{}",
    "source/train.py": b"steps = 3\n",
}
RULE: dict[str, Any] = {"models": ["digits"], "predicates": ["*"], "keys": ["alice", "bob"], "threshold": 2}


def pem(name: str) -> str:
    return PublicKey(KEYS[name]._key.public_key()).pem


def write_files(
    folder: Path, files: Mapping[str, bytes] = FILES, version: str = "1.0.0", **more: str
) -> Path:
    """An artifact with a manifest that fits."""
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    listed = [
        {"path": name, "sha256": str(Digest.of_bytes(data)), "size_bytes": len(data)}
        for name, data in sorted(files.items())
    ]
    manifest = {
        "schema": "reprobuild.manifest/1",
        "name": "digits",
        "version": version,
        "files": listed,
        **more,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@dataclass
class SignedArtifact:
    """An artifact that alice and bob signed with its record; `report` says what a check finds."""

    folder: Path
    statements: Path = field(init=False)
    record: Path = field(init=False)
    keys: dict[str, dict[str, Any]] = field(init=False)
    rules: list[dict[str, Any]] = field(init=False)
    trust_expires: str | None = None

    def __post_init__(self) -> None:
        write_files(self.result)
        self.record = self.folder / "a.record.json"
        self.record.write_bytes(b'{"status": "built"}')
        self.statements = self.folder / "a.intoto.jsonl"
        self.keys = {name: {"public_key": pem(name)} for name in ("alice", "bob")}
        self.keys["alice"]["algorithm"], self.keys["bob"]["algorithm"] = "ed25519", "ecdsa-p256"
        self.rules = [dict(RULE)]
        self.sign(self.payload())

    @property
    def result(self) -> Path:
        return self.folder / "result"

    def payload(self, result: Path | None = None) -> dict[str, Any]:
        record = hashlib.sha256(self.record.read_bytes()).hexdigest()
        made = statement(read_manifest(result or self.result), Digest.of_bytes(b""), record)
        return made.model_dump(mode="json", by_alias=True, exclude_none=True)

    def sign(self, payload: Mapping[str, Any] | bytes, by: Sequence[str] = ("alice", "bob")) -> None:
        """Write the one statement that there is."""
        data = payload if isinstance(payload, bytes) else compact(payload).encode()
        self.write(envelope(data, by))

    def write(self, *envelopes: Mapping[str, Any]) -> None:
        self.statements.write_text("".join(f"{compact(one)}\n" for one in envelopes))

    def envelope(self) -> dict[str, Any]:
        return dict(json.loads(self.statements.read_text()))

    def bundle(self) -> dict[str, Any]:
        """An OpenSSF Model Signing bundle by bob, which one signature is enough for."""
        self.rules = [{**RULE, "threshold": 1}]
        self.statements = self.folder / "model.sig"
        text = bundle("digits", file_digests(read_manifest(self.result)), KEYS["bob"], pem("bob"))
        self.statements.write_text(text)
        return dict(json.loads(text))

    @property
    def trust(self) -> str:
        lines = ['schema = "reprobuild.trust/1"']
        lines += [f'expires = "{self.trust_expires}"'] if self.trust_expires else []
        for name, fields in self.keys.items():
            lines += [f"[keys.{name}]", *_toml(fields)]
        for rule in self.rules:
            lines += ["[[rules]]", *_toml(rule)]
        return "\n".join(lines)

    def report(self) -> Report:
        return verify(
            self.result, self.statements, parse_trust(self.trust.encode()), now=NOW, record=self.record
        )

    def slugs(self) -> set[str]:
        """What is wrong, in words for programs."""
        report = self.report()
        found = {problem.slug for problem in report.problems}
        found |= {problem.slug for one in report.statements for problem in one.problems}
        assert report.ok == (not found)
        return found


def envelope(payload: bytes, by: Sequence[str]) -> dict[str, Any]:
    return {
        "payloadType": IN_TOTO,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [signature(name, pae(IN_TOTO, payload)) for name in by],
    }


def signature(name: str, message: bytes, keyid: str | None = None) -> dict[str, str]:
    key = KEYS[name]
    return {
        "keyid": key.keyid if keyid is None else keyid,
        "sig": base64.b64encode(key.sign(message)).decode(),
    }


def _toml(fields: Mapping[str, Any]) -> list[str]:
    def value(one: Any) -> str:
        if isinstance(one, dict):
            return "{ " + ", ".join(f"{key} = {value(inner)}" for key, inner in one.items()) + " }"
        return json.dumps(one)

    return [f"{key} = {value(one)}" for key, one in fields.items()]
