"""Vectors that others published (tests/public_vectors/README.md) say of our checks what they should."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicNumbers
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from reprobuild_verify.check import Report, _signers, verify
from reprobuild_verify.dsse import IN_TOTO, pae, parse_envelope
from reprobuild_verify.problems import RefusedError
from reprobuild_verify.public_key import PublicKey, load_public_key
from reprobuild_verify.trust import Trust, TrustedKey, parse_trust

from .signing_examples import NOW

VECTORS = Path(__file__).parents[1] / "public_vectors"
DSSE = json.loads((VECTORS / "dsse/vectors.json").read_text(encoding="utf-8"))
WYCHEPROOF = [
    pytest.param(group["publicKeyPem"], test, id=f"{file}-{test['tcId']}")
    for file in ("ed25519", "ecdsa-p256")
    for group in json.loads((VECTORS / f"wycheproof/{file}.json").read_text())
    for test in group["tests"]
]


def trusted(name: str) -> TrustedKey:
    raw = Ed25519PublicKey.from_public_bytes(bytes.fromhex(DSSE["keys"][name]))
    return TrustedKey(name, PublicKey(raw), None, None)


def accepted(vector: dict[str, Any]) -> bool:
    """Are there signatures of as many different keys as asked for?"""
    keys = tuple(trusted(name) for name in vector["trustedKeys"])
    try:
        envelope = parse_envelope(json.dumps(vector["envelope"]).encode(), "vector")
    except RefusedError:
        return False
    return len(_signers(envelope, Trust(None, keys, ()), NOW)[0]) >= vector["threshold"]


@pytest.mark.parametrize("vector", DSSE["vectors"], ids=lambda one: one["id"])
def test_dsse(vector: dict[str, Any]) -> None:
    # we support one payload type alone: what is only said of another one is not accepted
    expected = vector["expect"] == "accept" and IN_TOTO in vector["supportedPayloadTypes"]
    assert accepted(vector) == expected


@pytest.mark.parametrize("vector", DSSE["vectors"], ids=lambda one: one["id"])
def test_the_bytes_that_dsse_signs(vector: dict[str, Any]) -> None:
    envelope = vector["envelope"]
    body = base64.b64decode(envelope["payload"].replace("-", "+").replace("_", "/"))
    message = pae(envelope["payloadType"], body)
    assert (message.hex() == vector["pae"]) == (vector["id"] != "payload-type-swapped")
    for number, one in enumerate(envelope["signatures"]):
        key = trusted(one.get("keyid") or vector["trustedKeys"][number])
        signature = base64.b64decode(one["sig"].replace("-", "+").replace("_", "/"))
        assert key.public.signed(bytes.fromhex(vector["pae"]), signature)


def test_the_example_of_dsse_s_protocol() -> None:
    it = DSSE["protocol"]
    message = pae(it["payloadType"], it["payload"].encode())
    assert message == it["pae"].encode()
    key = EllipticCurvePublicNumbers(int(it["x"]), int(it["y"]), SECP256R1()).public_key()
    raw = base64.b64decode(it["sig"])  # r and s in a row; DER is what we read
    signature = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    assert PublicKey(key).signed(message, signature)
    assert not PublicKey(key).signed(message + b" ", signature)


@pytest.mark.parametrize(("pem", "test"), WYCHEPROOF)
def test_wycheproof(pem: str, test: dict[str, str]) -> None:
    signed = load_public_key(pem).signed(bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"]))
    assert signed == (test["result"] == "valid")


def model_signing(folder: Path, release: str) -> Report:
    """The tool's own model, which the bundle was made of."""
    folder.mkdir()
    (folder / "signme-1").write_text("signme-1\n")
    (folder / "signme-2").write_text("signme-2")
    pem = (VECTORS / "model-signing/key.pem").read_text()
    trust = (
        f'schema = "reprobuild.trust/1"\n[keys.tool]\nalgorithm = "ecdsa-p384"\npublic_key = """\n{pem}"""\n'
        '[[rules]]\nmodels = ["*"]\npredicates = ["https://model_signing/signature/v1.0"]\nkeys = ["tool"]\n'
        "threshold = 1\n"
    )
    return verify(folder, VECTORS / f"model-signing/{release}.sig", parse_trust(trust.encode()), now=NOW)


@pytest.mark.parametrize("release", ["v1.0.1", "v1.1.0"])
def test_bundles_of_model_signing_s_releases(release: str, tmp_path: Path) -> None:
    assert model_signing(tmp_path / "model", release).ok


def test_a_bundle_about_one_file_is_not_one_about_a_folder(tmp_path: Path) -> None:
    (checked,) = model_signing(tmp_path / "model", "v1.0.0").statements
    assert checked.signed_by == ("tool",)
    assert {one.slug for one in checked.problems} == {"file-missing", "file-extra"}
