"""A cache in an S3 bucket, of a server on the loopback that speaks S3 (moto), with the Nix that is installed."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.conftest import World, write_sourced
from tests.integration.test_archive import empty_world
from tests.integration.test_cache import flip, keys

pytestmark = pytest.mark.integration

LOGIN = {"AWS_ACCESS_KEY_ID": "tests", "AWS_SECRET_ACCESS_KEY": "canary-s3cret"}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"{host}:{port}"
    server.stop()


class Bucket:
    def __init__(self, endpoint: str, name: str) -> None:
        import boto3

        self.url = f"s3://{name}?endpoint={endpoint}&scheme=http&region=us-east-1"
        self.name = name
        self.client = boto3.client(
            "s3",
            endpoint_url=f"http://{endpoint}",
            region_name="us-east-1",
            aws_access_key_id=LOGIN["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=LOGIN["AWS_SECRET_ACCESS_KEY"],
        )
        self.client.create_bucket(Bucket=name)

    def object_keys(self) -> list[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name)
        return [one["Key"] for page in pages for one in page.get("Contents", ())]

    def get(self, key: str) -> bytes:
        return bytes(self.client.get_object(Bucket=self.name, Key=key)["Body"].read())


def test_a_bucket_carries_a_project_from_one_machine_to_another(
    world: World, sourced_lock: str, endpoint: str, tmp_path: Path
) -> None:
    project = write_sourced(tmp_path / "sourced")
    (project / "reprobuild.lock").write_text(sourced_lock)
    model = world.json("nix", "build", cwd=project)
    world.reprobuild("fetch", cwd=project)  # what another test's garbage collection has taken
    secret, public = keys(world, tmp_path, "tests-1")
    bucket = Bucket(endpoint, "models")
    absent = world.json("cache", "check", bucket.url, cwd=project, status=2, env=LOGIN)
    assert "no binary cache" in absent["message"]

    push = ("cache", "push", f"{bucket.url}&compression=none", "--secret-key", str(secret))
    pushed = world.reprobuild(*push, "--json", cwd=project, env=LOGIN)
    assert '"cache": "s3://models"' in pushed.stdout
    assert "nix-cache-info" in bucket.object_keys()
    check = ("cache", "check", bucket.url, "--trusted-key", public)
    assert world.json(*check, cwd=project, env=LOGIN)["ok"]

    trusting = {**LOGIN, "REPROBUILD_TRUSTED_KEYS": public}
    other = empty_world(tmp_path / "other")
    plan = other.json("plan", "--cache", bucket.url, cwd=project, env=trusting)
    assert (plan["build"], plan["take"][0]["from"]) == ([], "s3://models")
    there = other.json("nix", "build", "--cache", bucket.url, cwd=project, env=trusting)
    assert (there["outputs"], there["built"]) == (model["outputs"], [])
    fetched = other.json("fetch", "--cache", bucket.url, cwd=project, env=LOGIN)
    assert {one["origin"] for one in fetched["fetched"]} == {"binary-cache"}
    third = empty_world(tmp_path / "third")
    assert third.json("cache", "pull", bucket.url, cwd=project, env=trusting)["missing"] == []

    key = next(key for key in bucket.object_keys() if key.endswith(".nar"))
    folder = tmp_path / "damaged"
    folder.mkdir()
    (folder / "nar").write_bytes(bucket.get(key))
    flip(folder / "nar")
    bucket.client.put_object(Bucket=bucket.name, Key=key, Body=(folder / "nar").read_bytes())
    found = world.json(*check, cwd=project, status=1, env=LOGIN)
    assert [one["state"] for one in found["findings"]] == ["damaged"]
    assert found["findings"][0]["detail"].startswith(key)


def test_two_caches_in_folders_of_one_bucket(world: World, tiny: Path, endpoint: str, tmp_path: Path) -> None:
    bucket = Bucket(endpoint, "shared")
    first, second = (bucket.url.replace("shared?", f"shared/teams/{name}?") for name in ("one", "two 2"))
    second = second.replace(" ", "%20")
    world.reprobuild("fetch", cwd=tiny)
    world.reprobuild("cache", "push", first, "--sources", cwd=tiny, env=LOGIN)
    assert all(key.startswith("teams/one/") for key in bucket.object_keys())
    none = world.reprobuild("cache", "check", second, "--sources", cwd=tiny, env=LOGIN, status=2)
    assert "s3://shared/teams/two%202: no binary cache" in none.stderr
    other = empty_world(tmp_path / "other")
    assert other.json("cache", "pull", first, "--sources", cwd=tiny, env=LOGIN)["moved"]


def test_the_login_shows_up_nowhere(world: World, tiny: Path, endpoint: str, tmp_path: Path) -> None:
    bucket = Bucket(endpoint, "secrets")
    world.reprobuild("fetch", cwd=tiny)
    done = world.reprobuild("cache", "push", bucket.url, "--sources", cwd=tiny, env=LOGIN)
    kept = [done.stdout.encode(), done.stderr.encode(), *(bucket.get(key) for key in bucket.object_keys())]
    assert len(kept) > 10
    assert not any(LOGIN["AWS_SECRET_ACCESS_KEY"].encode() in text for text in kept)


def test_a_folder_cache_may_be_uploaded_as_it_is(
    world: World, tiny: Path, endpoint: str, tmp_path: Path
) -> None:
    """For those who would rather use their own tool for S3."""
    bucket, folder = Bucket(endpoint, "uploaded"), tmp_path / "cache"
    world.reprobuild("fetch", cwd=tiny)
    world.reprobuild("cache", "push", str(folder), "--sources", cwd=tiny)
    for file in folder.rglob("*"):
        if file.is_file():
            key = file.relative_to(folder).as_posix()
            bucket.client.put_object(Bucket=bucket.name, Key=key, Body=file.read_bytes())
    shutil.rmtree(folder)
    assert world.json("cache", "check", bucket.url, "--sources", cwd=tiny, env=LOGIN)["ok"]
