"""DSSE v1 envelopes: what is signed, and by which bytes.

Source: secure-systems-lab/dsse, protocol.md and envelope.md, version 1.0.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from reprobuild_verify.problems import RefusedError
from reprobuild_verify.strict_json import parse_object

IN_TOTO = "application/vnd.in-toto+json"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"


@dataclass(frozen=True)
class Signature:
    keyid: str  # a hint, signed by nobody; empty: none
    sig: bytes


@dataclass(frozen=True)
class Envelope:
    payload_type: str
    payload: bytes
    signatures: tuple[Signature, ...]

    @property
    def signed_bytes(self) -> bytes:
        return pae(self.payload_type, self.payload)


def pae(payload_type: str, payload: bytes) -> bytes:
    """The bytes that are signed: type and body, each after its length in bytes."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def parse_envelope(data: bytes, what: str) -> Envelope:
    """An envelope, or the one in a Sigstore bundle v0.3 as OpenSSF Model Signing writes them.

    Raises:
        RefusedError: not an envelope, or one without signatures or of another payload type.
    """
    fields = parse_object(data, what)
    if "dsseEnvelope" in fields:
        if fields.get("mediaType") != BUNDLE:
            raise RefusedError(
                "not-an-envelope", f"{what}: a bundle of type {fields.get('mediaType')}, not {BUNDLE}"
            )
        fields = fields["dsseEnvelope"]
    try:
        envelope = Envelope(
            payload_type=_text(fields["payloadType"]),
            payload=_decode(fields["payload"]),
            signatures=tuple(
                Signature(_text(one.get("keyid") or ""), _decode(one["sig"])) for one in fields["signatures"]
            ),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise RefusedError("not-an-envelope", f"{what}: not a DSSE envelope: {error!r}") from error
    if envelope.payload_type != IN_TOTO:
        raise RefusedError("payload-type", f"{what}: payload type {envelope.payload_type}, not {IN_TOTO}")
    if not envelope.signatures:
        raise RefusedError("signature-missing", f"{what}: an envelope without signatures")
    return envelope


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _decode(value: Any) -> bytes:
    """Standard or URL-safe base 64, as the specification asks of verifiers."""
    return base64.b64decode(_text(value).replace("-", "+").replace("_", "/"), validate=True)
