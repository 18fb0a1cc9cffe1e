"""Signatures with the real commands and a real Nix: the how-to page's steps, and keys that Nix believes."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path

import pytest
from tests.integration.conftest import World
from tests.unit.signing_examples import write_files

from reprobuild.domain.digest import Digest

pytestmark = pytest.mark.integration

STORE_PATH = f"/nix/store/{'0' * 32}-digits-1.0.0"
PASSPHRASE = {"REPROBUILD_KEY_PASSPHRASE": "a long passphrase"}
NIX = ["nix", "--extra-experimental-features", "nix-command"]


@pytest.fixture
def signer(world: World, tmp_path: Path) -> World:
    """A store with one path that was not made from its content, as a build's output is; a home without keys."""
    fresh = world.fresh_store(tmp_path)
    fresh.home = tmp_path / "home"
    shutil.copytree(write_files(tmp_path / "files"), fresh.file(STORE_PATH))
    digest = fresh.run(["nix-hash", "--type", "sha256", STORE_PATH], cwd=tmp_path).stdout.strip()
    dump = 'nix-store --dump "$0" | wc -c'
    size = fresh.run(["sh", "-c", dump, STORE_PATH], cwd=tmp_path).stdout.strip()
    entry = f"{STORE_PATH}\n{digest}\n{size}\n\n0\n"
    done = fresh.run(["sh", "-c", 'printf %s "$0" | nix-store --load-db', entry], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (tmp_path / "result").symlink_to(STORE_PATH)
    return fresh


def test_the_steps_of_the_page(signer: World, tmp_path: Path) -> None:
    signer.reprobuild("keys", "new", "release", cwd=tmp_path, env=PASSPHRASE)
    signer.reprobuild("keys", "new", "audit", "--algorithm", "ecdsa-p256", cwd=tmp_path, env=PASSPHRASE)
    signer.reprobuild("keys", "list", cwd=tmp_path)
    signer.reprobuild("sign", "result", "--key", "release", cwd=tmp_path, env=PASSPHRASE)
    signer.reprobuild("sign", "result", "--key", "audit", cwd=tmp_path, env=PASSPHRASE)
    release = signer.reprobuild("keys", "export", "release", cwd=tmp_path).stdout
    audit = signer.reprobuild("keys", "export", "audit", cwd=tmp_path).stdout
    rule = '[[rules]]\nmodels = ["digits"]\npredicates = ["*"]\nkeys = ["release", "audit"]\n'
    head = 'schema = "reprobuild.trust/1"\n'
    (tmp_path / "trust.toml").write_text(f"{head}{release}{audit}{rule}threshold = 2\n")
    check = ("verify-signature", "result", "--trust", "trust.toml")
    done = signer.reprobuild("verify-signature", "result", "--trust", "trust.toml", cwd=tmp_path)
    assert "signed by audit, release" in done.stdout
    signer.reprobuild("sign", "result", "--key", "audit", "--model-signing", cwd=tmp_path, env=PASSPHRASE)

    (statements,) = tmp_path.glob("*.intoto.jsonl")
    payload = json.loads(base64.b64decode(json.loads(statements.read_text())["payload"]))
    registered = signer.run(["nix-store", "-q", "--hash", STORE_PATH], cwd=tmp_path).stdout.strip()
    assert payload["predicate"]["narHash"] == Digest.of_nix32(registered.removeprefix("sha256:"))

    weights = signer.file(STORE_PATH) / "weights.safetensors"
    before = weights.read_bytes()
    weights.write_bytes(b"others")
    assert "weights-changed" in signer.reprobuild(*check, cwd=tmp_path, status=1).stdout
    weights.write_bytes(before)
    signer.reprobuild("keys", "rotate", "audit", "--no-passphrase", cwd=tmp_path)
    assert "was replaced" in signer.reprobuild("sign", "--key", "audit", cwd=tmp_path, status=2).stderr
    revoked = signer.reprobuild("keys", "revoke", "release", "--reason", "laptop lost", cwd=tmp_path).stdout
    (tmp_path / "trust.toml").write_text(f"{head}{revoked}{audit}{rule}threshold = 1\n")
    assert (
        signer.reprobuild(*check, cwd=tmp_path).stdout.count("key-revoked") == 1
    )  # audit's is enough, and it is said
    (tmp_path / "trust.toml").write_text(f"{head}{revoked}{audit}{rule}threshold = 2\n")
    found = signer.json(*check, cwd=tmp_path, status=1)["statements"][0]["problems"]
    assert [one["slug"] for one in found] == ["threshold-missed", "key-revoked"]


def test_nix_signs_and_believes_with_our_keys(signer: World, tmp_path: Path) -> None:
    signer.reprobuild("keys", "new", "cache-1", "--no-passphrase", cwd=tmp_path)
    signer.reprobuild("keys", "new", "other-1", "--no-passphrase", cwd=tmp_path)
    export = ("keys", "export", "cache-1", "--format", "nix")
    public = signer.reprobuild(*export, "--secret", "secret", cwd=tmp_path).stdout.strip()
    other = signer.reprobuild("keys", "export", "other-1", "--format", "nix", cwd=tmp_path).stdout.strip()
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600

    def believed(key: str) -> bool:
        verify = ["store", "verify", "--sigs-needed", "1", "--option", "trusted-public-keys", key, STORE_PATH]
        return signer.run([*NIX, *verify], cwd=tmp_path).returncode == 0

    assert not believed(public)
    done = signer.run([*NIX, "store", "sign", "--key-file", "secret", STORE_PATH], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert believed(public)
    assert not believed(other)
    shown = signer.run(
        ["sh", "-c", 'nix key convert-secret-to-public < "$0"', "secret"],
        cwd=tmp_path,
        env={"NIX_CONFIG": "experimental-features = nix-command"},
    )
    assert shown.stdout.strip() == public


def test_nix_believes_what_sign_added_to_the_store(signer: World, tmp_path: Path) -> None:
    signer.reprobuild("keys", "new", "cache-1", cwd=tmp_path, env=PASSPHRASE)
    signer.reprobuild("keys", "new", "audit", "--algorithm", "ecdsa-p256", "--no-passphrase", cwd=tmp_path)
    signed = signer.json("sign", "result", "--key", "cache-1", "--nix", cwd=tmp_path, env=PASSPHRASE)
    assert signed["store_path"] == STORE_PATH

    def believed(key: str) -> bool:
        verify = ["store", "verify", "--sigs-needed", "1", "--option", "trusted-public-keys", key, STORE_PATH]
        return signer.run([*NIX, *verify], cwd=tmp_path).returncode == 0

    assert believed(signed["trusted_public_key"])
    assert not believed(signed["trusted_public_key"].replace("cache-1:", "cache-2:"))
    refused = signer.reprobuild("sign", "result", "--key", "audit", "--nix", cwd=tmp_path, status=2)
    assert "ed25519" in refused.stderr
    weights = signer.file(STORE_PATH) / "weights.safetensors"
    weights.write_bytes(b"others")
    refused = signer.reprobuild("sign", "--key", "cache-1", "--nix", cwd=tmp_path, env=PASSPHRASE, status=2)
    assert "weights.safetensors: changed" in refused.stderr
