"""Which S3 service, bucket and login an address means: the parameters of Nix's own S3 store, AWS's own variables."""

from __future__ import annotations

import configparser
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from reprobuild.core.aws_signature import AwsLogin
from reprobuild.errors import UsageError


@dataclass(frozen=True)
class S3Bucket:
    """
    Args:
        url: of the bucket, or of a folder in it, without a slash at its end.
        login: None: requests are not signed.
    """

    OPTIONS: ClassVar = frozenset({"endpoint", "profile", "region", "scheme"})

    url: str
    region: str
    login: AwsLogin | None

    @classmethod
    def of(
        cls,
        bucket: str,
        options: Mapping[str, str],
        environment: Mapping[str, str] = os.environ,
        *,
        folder: str = "",
    ) -> S3Bucket:
        """
        Args:
            folder: `/NAME` and so on, for a cache that is not at the bucket's root.
        Raises:
            UsageError: no bucket is named, or the profile is not in AWS's file.
        """
        if not bucket:
            raise UsageError(
                "s3://: no bucket is named", hint="write s3://BUCKET?endpoint=HOST&region=REGION"
            )
        region = (
            options.get("region")
            or environment.get("AWS_REGION")
            or environment.get("AWS_DEFAULT_REGION")
            or "us-east-1"
        )
        endpoint = options.get("endpoint") or environment.get("AWS_ENDPOINT_URL") or ""
        scheme = options.get("scheme", "https")
        if endpoint:
            url = f"{endpoint if '://' in endpoint else f'{scheme}://{endpoint}'}".rstrip("/") + f"/{bucket}"
        elif "." in bucket:  # the certificate is for one level of names
            url = f"{scheme}://s3.{region}.amazonaws.com/{bucket}"
        else:
            url = f"{scheme}://{bucket}.s3.{region}.amazonaws.com"
        return cls(url + folder, region, _login(options.get("profile"), environment))


def _login(profile: str | None, environment: Mapping[str, str]) -> AwsLogin | None:
    key, secret = environment.get("AWS_ACCESS_KEY_ID"), environment.get("AWS_SECRET_ACCESS_KEY")
    if profile is None and key and secret:
        return AwsLogin(key, secret, environment.get("AWS_SESSION_TOKEN") or None)
    file = Path(environment.get("AWS_SHARED_CREDENTIALS_FILE") or Path.home() / ".aws" / "credentials")
    name = profile or environment.get("AWS_PROFILE") or "default"
    read = configparser.RawConfigParser()
    try:
        read.read(file, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError) as error:
        raise UsageError(
            f"cannot read {file}: {type(error).__name__}"
        ) from None  # its text may hold a secret
    section = dict(read.items(name)) if read.has_section(name) else {}
    if "aws_access_key_id" in section and "aws_secret_access_key" in section:
        return AwsLogin(
            section["aws_access_key_id"],
            section["aws_secret_access_key"],
            section.get("aws_session_token"),
        )
    if profile is not None:
        raise UsageError(
            f"no login for the profile {profile}",
            expected="aws_access_key_id and aws_secret_access_key",
            expected_from=f"{file}, [{profile}]",
            hint="add the profile, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        )
    return None
