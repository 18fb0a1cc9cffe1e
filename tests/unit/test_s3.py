"""S3 buckets: requests signed as AWS publishes it, logins from AWS's own places, and the gateway for Nix."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import httpx
import pytest
from tests.loopback import loopback_files, loopback_site

from reprobuild.adapters.binary_cache.address import cache_address
from reprobuild.adapters.binary_cache.s3_bucket import S3Bucket
from reprobuild.adapters.binary_cache.s3_gateway import _is_ours, gateway
from reprobuild.adapters.nix.process import environment
from reprobuild.core.aws_signature import AwsLogin, signed_headers
from reprobuild.errors import UsageError

# The examples of "Signature Calculations for the Authorization Header", Amazon S3 API reference.
LOGIN = AwsLogin("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
HOST = "examplebucket.s3.amazonaws.com"


def test_the_published_signature_of_a_get() -> None:
    headers = signed_headers(
        LOGIN,
        method="GET",
        host=HOST,
        path="/test.txt",
        region="us-east-1",
        time="20130524T000000Z",
        headers={"Range": "bytes=0-9"},
    )
    assert headers["authorization"].endswith(
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    )


def test_the_published_signature_of_a_put() -> None:
    headers = signed_headers(
        LOGIN,
        method="PUT",
        host=HOST,
        path="/test$file.text",
        region="us-east-1",
        time="20130524T000000Z",
        payload_sha256=hashlib.sha256(b"Welcome to Amazon S3.").hexdigest(),
        headers={"date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY"},
    )
    assert headers["authorization"].endswith(
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
    )


def test_a_session_token_is_sent_and_signed() -> None:
    login = AwsLogin("key", "secret", "token")
    headers = signed_headers(login, method="GET", host=HOST, path="/", region="x", time="20130524T000000Z")
    assert headers["x-amz-security-token"] == "token" and "x-amz-security-token" in headers["authorization"]
    assert "secret" not in repr(login) and "token" not in repr(login).replace("session_token", "")


@pytest.mark.parametrize(
    ("bucket", "options", "url"),
    [
        ("models", {}, "https://models.s3.us-east-1.amazonaws.com"),
        ("models", {"region": "eu-west-1"}, "https://models.s3.eu-west-1.amazonaws.com"),
        ("my.models", {}, "https://s3.us-east-1.amazonaws.com/my.models"),
        ("models", {"endpoint": "host:9000", "scheme": "http"}, "http://host:9000/models"),
        ("models", {"endpoint": "http://host:9000/"}, "http://host:9000/models"),
    ],
)
def test_buckets_are_found(bucket: str, options: dict[str, str], url: str) -> None:
    assert S3Bucket.of(bucket, options, {"AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}).url == url


def test_logins_come_from_where_aws_keeps_them(tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    file.write_text(
        "[default]\naws_access_key_id=a\naws_secret_access_key=b\n"
        "[lab]\naws_access_key_id=c\naws_secret_access_key=d%20\naws_session_token=e\n[half]\naws_access_key_id=f\n"
    )
    there = {"AWS_SHARED_CREDENTIALS_FILE": str(file)}
    variables = {**there, "AWS_ACCESS_KEY_ID": "g", "AWS_SECRET_ACCESS_KEY": "h"}
    assert S3Bucket.of("b", {}, there).login == AwsLogin("a", "b")
    assert S3Bucket.of("b", {}, variables).login == AwsLogin("g", "h")
    assert S3Bucket.of("b", {"profile": "lab"}, variables).login == AwsLogin("c", "d%20", "e")
    assert S3Bucket.of("b", {}, {**there, "AWS_PROFILE": "lab"}).login == AwsLogin("c", "d%20", "e")
    assert S3Bucket.of("b", {}, {"AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}).login is None
    for name in ("half", "none"):
        with pytest.raises(UsageError, match=f"profile {name}"):
            S3Bucket.of("b", {"profile": name}, there)
    file.write_text("aws_secret_access_key=canary")
    with pytest.raises(UsageError) as refused:
        S3Bucket.of("b", {}, there)
    assert "canary" not in str(refused.value.document())


def test_a_bucket_without_a_name_is_refused() -> None:
    with pytest.raises(UsageError, match="no bucket"):
        cache_address("s3://?region=x")


def test_the_gateway_passes_files_on_and_signs(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    with loopback_site() as site:
        body = site.put("/models/nar/one.nar", b"content")
        base = gateway(S3Bucket(f"{site.url}/models", "us-east-1", LOGIN))
        assert httpx.get(f"{base}/nar/one.nar").content == b"content"
        assert httpx.get(f"{base}/nar/one.nar", headers={"Range": "bytes=3-"}).content == b"tent"
        assert httpx.head(f"{base}/nar/one.nar").headers["content-length"] == "7"
        assert httpx.get(f"{base}/nothing").status_code == 404
        sent = site.gets("/models/nar/one.nar")[0]
    assert body.endswith("/models/nar/one.nar")
    assert re.match(
        r"AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/\d{8}/us-east-1/s3/", sent["authorization"]
    )
    with loopback_files(tmp_path, writable=True) as files:
        base = gateway(S3Bucket(f"{files.url}/models", "us-east-1", None))
        content = bytes(range(256)) * 40_000  # more than is kept in memory
        assert httpx.put(f"{base}/nar/big", content=content).status_code == 201
    assert (tmp_path / "models/nar/big").read_bytes() == content


def test_a_service_that_does_not_answer_is_named() -> None:
    answer = httpx.get(gateway(S3Bucket("http://127.0.0.1:9/models", "us-east-1", None)) + "/x")
    assert answer.status_code == 502 and "127.0.0.1" in answer.text


def test_programs_of_nix_are_started_without_the_login(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "canary")
    monkeypatch.setenv("REPROBUILD_TRUSTED_KEYS", "a:b c:d")
    found = environment({"substituters": "x"})
    assert "canary" not in found.values()
    assert "extra-trusted-public-keys = a:b c:d" in found["NIX_CONFIG"].splitlines()


def test_connections_of_nobody_are_not_ours() -> None:
    assert not _is_ours(1, 2)
