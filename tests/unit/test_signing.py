"""Keys, envelopes and bundles as we make them, and the checker on its own."""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from reprobuild.adapters.key_store import FileKeyStore
from reprobuild.core.cache_trust import parse_key
from reprobuild.core.model_signing import bundle
from reprobuild.core.schemas import key_schema, statement_schema
from reprobuild.domain.digest import Digest
from reprobuild.domain.narinfo import CacheEntry
from reprobuild.domain.record import BuildRecord
from reprobuild.errors import NotAResultError, SigningKeyError, UsageError
from reprobuild.services.artifact import read_manifest
from reprobuild.services.keys import KeyService, nix_public, trust_lines
from reprobuild.services.sign import sign, sign_model
from reprobuild_verify.__main__ import document, text_lines
from reprobuild_verify.check import verify
from reprobuild_verify.dsse import pae
from reprobuild_verify.find import beside
from reprobuild_verify.trust import parse_trust, read_trust

from .signing_examples import KEYS, NOW, SignedArtifact, envelope, pem, write_files

PYTHON = Path(__file__).parents[2] / "python"
GOLDEN = Path(__file__).parents[1] / "golden/signatures"


@pytest.fixture
def artifact(tmp_path: Path) -> SignedArtifact:
    return SignedArtifact(tmp_path)


@pytest.fixture
def keys(tmp_path: Path) -> KeyService:
    return KeyService(FileKeyStore(tmp_path / "config/keys"), "2026-11-21")


def test_the_known_answer_of_dsse() -> None:
    assert (
        pae("http://example.com/HelloWorld", b"hello world")
        == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_url_safe_base_64_and_an_empty_keyid_are_read(artifact: SignedArtifact) -> None:
    fields = artifact.envelope()
    fields["payload"] = fields["payload"].replace("+", "-").replace("/", "_")
    for one in fields["signatures"]:
        one["keyid"] = ""
    artifact.write(fields)
    assert artifact.slugs() == set()


def test_a_strangers_further_signature_is_a_note(artifact: SignedArtifact) -> None:
    artifact.sign(artifact.payload(), ["alice", "mallory", "bob"])
    report = artifact.report()
    assert report.ok
    assert [note.slug for note in report.statements[0].notes] == ["key-unknown"]


def test_a_statement_of_another_predicate_may_stand_beside(artifact: SignedArtifact) -> None:
    first, payload = artifact.envelope(), artifact.payload()
    payload["predicateType"], payload["predicate"] = "https://slsa.dev/provenance/v1", {}
    payload["subject"] = [one for one in payload["subject"] if one["name"] == "manifest.json"]
    artifact.write(first, envelope(json.dumps(payload).encode(), ("alice", "bob")))
    assert artifact.slugs() == set()


def test_the_files_of_a_key_are_of_its_user_alone(keys: KeyService, tmp_path: Path) -> None:
    key = keys.new("release", "ed25519", b"secret")
    folder = tmp_path / "config/keys"
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (folder, *folder.iterdir())}
    assert modes == {"keys": 0o700, "release.pem": 0o600, "release.json": 0o600}
    assert (folder / "release.pem").read_text().startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")
    jsonschema.validate(json.loads((folder / "release.json").read_text()), key_schema())
    assert keys.store.open(key, b"secret").keyid == key.keyid
    for wrong in (b"other", None):
        with pytest.raises(SigningKeyError, match="cannot be opened"):
            keys.store.open(key, wrong)
    (folder / "release.pem").chmod(0o644)
    with pytest.raises(SigningKeyError, match="can be read by others"):
        keys.store.open(key, b"secret")


@pytest.mark.parametrize("name", ["", "A", "../x", "a:b", ".x", "a/b", "a\n"])
def test_a_name_that_no_file_can_have_is_refused(name: str, keys: KeyService) -> None:
    with pytest.raises(SigningKeyError, match="cannot be the name"):
        keys.new(name, "ed25519", None)


def test_a_name_is_taken_once(keys: KeyService) -> None:
    first = keys.new("release", "ed25519", None)
    with pytest.raises(SigningKeyError, match="there is a key release already"):
        keys.new("release", "ed25519", None)
    assert keys.store.known() == [first]
    with pytest.raises(SigningKeyError, match="cannot be written"):
        keys.new("a" * 300, "ed25519", None)


def test_a_successor_takes_the_next_free_name(keys: KeyService) -> None:
    for name in ("release", "release-2"):
        keys.new(name, "ed25519", None)
    assert keys.rotate("release", None).name == "release-3"


@pytest.mark.parametrize("reason", ["", " ", "two\nlines", "\udcff", "\x7f"])
def test_a_revocation_says_why_in_words_that_a_trust_file_holds(reason: str, keys: KeyService) -> None:
    key = keys.new("release", "ed25519", None)
    with pytest.raises(UsageError, match="--reason"):
        keys.revoke("release", reason)
    assert keys.store.known() == [key]


def test_a_rotated_key_and_a_revoked_one_sign_no_more(keys: KeyService) -> None:
    keys.new("release", "ecdsa-p256", None)
    assert keys.rotate("release", None).name == "release-2"
    assert keys.rotate("release-2", None).name == "release-3"
    assert keys.for_signing(None).name == "release-3"
    with pytest.raises(SigningKeyError, match="was replaced"):
        keys.for_signing("release")
    revoked = keys.revoke("release-3", 'a "lost" laptop')
    with pytest.raises(SigningKeyError, match="was revoked on 2026-11-21"):
        keys.for_signing("release-3")
    rules = '[[rules]]\nmodels = ["*"]\npredicates = ["*"]\nkeys = ["release-3"]\nthreshold = 1'
    trust = parse_trust(f'schema = "reprobuild.trust/1"\n{trust_lines(revoked)}\n{rules}'.encode())
    assert trust.keys[0].revoked == '2026-11-21, a "lost" laptop'


def test_which_key_is_asked_where_there_are_several(keys: KeyService) -> None:
    with pytest.raises(SigningKeyError, match="which key"):
        keys.for_signing(None)
    keys.new("a", "ed25519", None)
    keys.new("b", "ed25519", None)
    with pytest.raises(SigningKeyError, match="which key"):
        keys.for_signing(None)


def test_a_key_in_nix_form_signs_what_caches_are_believed_by(keys: KeyService) -> None:
    key = keys.new("cache-1", "ed25519", None)
    name, _, secret = keys.nix_secret(key, None).partition(":")
    assert (name, len(base64.b64decode(secret))) == ("cache-1", 64)
    path = f"/nix/store/{'a' * 32}-x"
    entry = CacheEntry(path, "nar/x", "none", None, None, Digest.of_bytes(b"x"), 112, (), (), None)
    assert parse_key(nix_public(key)).signed(
        entry.fingerprint, keys.store.open(key, None).sign(entry.fingerprint)
    )
    with pytest.raises(SigningKeyError, match="Nix knows no such key"):
        nix_public(keys.new("other", "ecdsa-p256", None))


def test_signing_again_with_a_second_key_adds_to_the_same_statement(tmp_path: Path) -> None:
    result = write_files(tmp_path / "result")
    first = sign(result, KEYS["alice"])
    assert sign(result, KEYS["bob"]).files == first.files
    assert sign(result, KEYS["bob"]).files == first.files
    (line,) = first.files[0].read_text().splitlines()
    fields = json.loads(line)
    assert [one["keyid"] for one in fields["signatures"]] == [KEYS["alice"].keyid, KEYS["bob"].keyid]
    jsonschema.validate(json.loads(base64.b64decode(fields["payload"])), statement_schema())


def test_what_is_not_as_its_manifest_says_is_not_signed(tmp_path: Path) -> None:
    result = write_files(tmp_path / "result")
    (result / "metrics.json").write_text("{}")
    with pytest.raises(NotAResultError, match="not signed"):
        sign(result, KEYS["alice"])
    assert [file.name for file in tmp_path.iterdir()] == ["result"]


def test_a_file_that_is_no_record_is_not_signed(tmp_path: Path) -> None:
    (tmp_path / "record").write_text("{}")
    with pytest.raises(UsageError, match="not a build record"):
        sign(write_files(tmp_path / "result"), KEYS["alice"], record=tmp_path / "record")


def test_model_signing_has_no_ed25519() -> None:
    with pytest.raises(SigningKeyError, match="knows no such key"):
        bundle("x", {}, KEYS["alice"], pem("alice"))


def test_the_checker_runs_without_anything_else(artifact: SignedArtifact, tmp_path: Path) -> None:
    """A folder with the checker alone, and no packages but cryptography (and cffi, which that may load)."""
    packages = tmp_path / "packages"
    shutil.copytree(PYTHON / "reprobuild_verify", packages / "reprobuild_verify")
    for name in ("cryptography", "cffi", "_cffi_backend", "pycparser"):
        if (found := importlib.util.find_spec(name)) is not None and found.origin is not None:
            origin = Path(found.origin)
            source = origin.parent if origin.name == "__init__.py" else origin
            (packages / source.name).symlink_to(source)
    (tmp_path / "trust.toml").write_text(artifact.trust)

    def check() -> subprocess.CompletedProcess[str]:
        command = [
            sys.executable,
            "-S",
            "-m",
            "reprobuild_verify",
            "result",
            "--trust",
            "trust.toml",
            "--json",
        ]
        return subprocess.run(
            command,
            cwd=tmp_path,
            env={"PATH": "", "PYTHONPATH": str(packages), "HOME": os.devnull},
            capture_output=True,
            text=True,
            check=False,
        )

    done = check()
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["ok"] is True
    (artifact.result / "extra").touch()
    done = check()
    assert done.returncode == 1
    assert "file-extra" in done.stdout
    artifact.statements.unlink()
    done = check()
    assert (done.returncode, json.loads(done.stdout)["problems"][0]["slug"]) == (1, "statement-missing")
    (tmp_path / "trust.toml").write_text("")
    done = check()
    assert (done.returncode, json.loads(done.stdout)["slug"]) == (2, "trust-file")


def test_a_record_is_signed_and_found_by_who_signs_next(tmp_path: Path) -> None:
    result = write_files(tmp_path / "result")
    artifact_id = read_manifest(result).artifact_id
    record = tmp_path / "record.json"
    text = made(tmp_path).model_copy(update={"artifact_id": artifact_id}).model_dump_json(by_alias=True)
    record.write_text(text)
    first = sign(result, KEYS["alice"], record=record)
    assert [file.name for file in first.files] == [
        f"{artifact_id}.record.json",
        f"{artifact_id}.intoto.jsonl",
    ]
    record.unlink()
    (statements,) = sign(result, KEYS["bob"]).files
    (line,) = statements.read_text().splitlines()
    assert len(json.loads(line)["signatures"]) == 2
    record.write_text(text.replace(artifact_id, "digits-1.0.0-other"))
    with pytest.raises(UsageError, match="record of another build"):
        sign(result, KEYS["alice"], record=record)


def made(tmp_path: Path) -> BuildRecord:
    """A record of a build that did not happen."""
    return BuildRecord(
        model="digits",
        version="1.0.0",
        project=str(tmp_path),
        spec_digest=Digest.of_bytes(b"spec"),
        lock_digest=Digest.of_bytes(b"lock"),
        spec={},
        started="2026-11-21T00:00:00Z",
        finished="2026-11-21T00:01:00Z",
        status="built",
        reprobuild_version="0.1.0",
        host={},
        outputs=(),
    )


@pytest.mark.parametrize("name", ["digits-1.0.0-*.intoto.jsonl", "model.sig"])
def test_what_this_version_signed_verifies_for_good(name: str) -> None:
    (statements,) = GOLDEN.glob(name)
    assert verify(GOLDEN / "artifact", statements, read_trust(GOLDEN / "trust.toml"), now=NOW).ok


def test_names_cannot_steer_the_terminal(artifact: SignedArtifact) -> None:
    (artifact.result / "\x1b[2Jsignatures: ok\n\udcff").touch()
    report = artifact.report()
    (line,) = [line for line in text_lines(report) if "file-extra" in line]
    assert line.isprintable() and r"\x1b[2J" in line
    json.dumps(document(report), ensure_ascii=False).encode()


def test_what_belongs_to_a_store_path_is_not_put_into_the_store() -> None:
    assert beside(Path("/nix/store/abc-digits")) == Path()
    assert beside(Path("project/result")) == Path("project")


@pytest.mark.parametrize("way", [".", "..", "source/.."])
def test_nothing_is_written_into_the_artifact(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = write_files(tmp_path / "result")
    monkeypatch.chdir(result / "source" if way == ".." else result)
    for signed in (sign(Path(way), KEYS["alice"]), sign_model(Path(way), KEYS["bob"], pem("bob"))):
        assert [file.resolve().parent for file in signed.files] == [tmp_path]
    for inside in (result, result / "source"):
        with pytest.raises(UsageError, match="artifact itself"):
            sign(result, KEYS["alice"], folder=inside)


def test_a_manifest_does_not_choose_where_statements_are_written(tmp_path: Path) -> None:
    result = write_files(tmp_path / "folder/result", version="/../../stolen")
    with pytest.raises(NotAResultError):
        sign(result, KEYS["alice"])


def test_what_is_said_names_the_artifact_that_was_signed(artifact: SignedArtifact) -> None:
    report = artifact.report()
    about = read_manifest(artifact.result).artifact_id
    assert [one.artifact_id for one in report.statements] == [about]
    assert f"urn:reprobuild:artifact:1 of {about}, signed by alice, bob" in "\n".join(text_lines(report))


def test_a_file_of_something_else_is_left_alone(tmp_path: Path) -> None:
    result = write_files(tmp_path / "result")
    (target,) = sign(result, KEYS["alice"]).files
    strange = json.loads(target.read_text())
    strange["signatures"][0]["keyid"] = "\ud800"
    for data in (b"notes\n", b"\xff\xfe", json.dumps(strange).encode()):
        target.write_bytes(data)
        with pytest.raises(UsageError, match="something else"):
            sign(result, KEYS["alice"])
        assert target.read_bytes() == data


def test_without_cryptography_the_checker_says_what_to_install(tmp_path: Path) -> None:
    shutil.copytree(Path(__file__).parents[2] / "python/reprobuild_verify", tmp_path / "reprobuild_verify")
    done = subprocess.run(
        [sys.executable, "-S", "-m", "reprobuild_verify", "result", "--trust", "trust.toml"],
        cwd=tmp_path,
        env={"PATH": "", "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2 and "pip install cryptography" in done.stderr
