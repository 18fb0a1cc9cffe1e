"""Make DSSE v1 envelopes; `reprobuild_verify.dsse` reads them and says what is signed."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class Signer(Protocol):
    """A private key that is open for signing."""

    @property
    def keyid(self) -> str: ...

    def sign(self, message: bytes) -> bytes: ...


def envelope(payload: bytes, signer: Signer) -> dict[str, Any]:
    """An envelope of an in-toto statement with one signature."""
    from reprobuild_verify.dsse import IN_TOTO

    return {"payloadType": IN_TOTO, "payload": _base64(payload), "signatures": [_signature(payload, signer)]}


def signed_lines(lines: Sequence[str], payload: bytes, signer: Signer) -> list[str]:
    """The lines of a `.intoto.jsonl` after one more signature.

    An envelope of the same payload gets it, in place of an older one by the same key; without such an envelope a
    line is added. Other lines stay.
    """
    out, found = [], False
    for line in lines:
        fields = json.loads(line)
        if not found and fields.get("payload") == _base64(payload):
            kept = [one for one in fields["signatures"] if one.get("keyid") != signer.keyid]
            fields, found = {**fields, "signatures": [*kept, _signature(payload, signer)]}, True
            out.append(compact(fields))
        else:
            out.append(line)
    return out if found else [*out, compact(envelope(payload, signer))]


def compact(fields: Mapping[str, Any]) -> str:
    """JSON on one line, keys sorted."""
    return json.dumps(fields, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _signature(payload: bytes, signer: Signer) -> dict[str, str]:
    from reprobuild_verify.dsse import IN_TOTO, pae

    return {"keyid": signer.keyid, "sig": _base64(signer.sign(pae(IN_TOTO, payload)))}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
