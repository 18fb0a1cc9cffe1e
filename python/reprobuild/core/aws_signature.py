"""Sign a request to an S3 service: AWS Signature Version 4.

Source: "AWS Signature Version 4 for API requests", Amazon S3 API reference; its published examples are the tests.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True)
class AwsLogin:
    access_key: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


def signed_headers(
    login: AwsLogin,
    *,
    method: str,
    host: str,
    path: str,
    region: str,
    time: str,
    payload_sha256: str = EMPTY_SHA256,
    headers: Mapping[str, str] = {},
) -> dict[str, str]:
    """The headers to send, `Authorization` among them; for requests without a query.

    Args:
        path: absolute, not encoded.
        time: UTC, `YYYYMMDDTHHMMSSZ`.
        payload_sha256: hexadecimal.
        headers: further ones to send and sign.
    """
    sent = {name.lower(): value for name, value in headers.items()}
    sent |= {"host": host, "x-amz-content-sha256": payload_sha256, "x-amz-date": time}
    if login.session_token:
        sent["x-amz-security-token"] = login.session_token
    names = ";".join(sorted(sent))
    canonical = "\n".join(
        [method, quote(path, safe="/-_.~"), ""]
        + [f"{name}:{sent[name].strip()}" for name in sorted(sent)]
        + ["", names, payload_sha256]
    )
    scope = f"{time[:8]}/{region}/s3/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", time, scope, digest])
    key = f"AWS4{login.secret_key}".encode()
    for part in (time[:8], region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    authorization = (
        f"AWS4-HMAC-SHA256 Credential={login.access_key}/{scope},SignedHeaders={names},Signature={signature}"
    )
    return {**sent, "authorization": authorization}
