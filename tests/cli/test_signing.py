"""`keys`, `sign` and `verify-signature` as they are called: passphrases, statuses, documents."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from reprobuild.cli import app as app_module
from reprobuild.domain.attestation import PREDICATES

from ..unit.artifact_examples import write_artifact

GOLDEN = Path(__file__).parents[1] / "golden/signatures"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a result, and a home without keys or passphrase."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("REPROBUILD_KEY_PASSPHRASE", raising=False)
    monkeypatch.setattr("sys.stdin", open(os.devnull))  # noqa: SIM115, PTH123
    write_artifact(tmp_path / "result")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def given(text: bytes) -> str:
    """A file descriptor that holds a passphrase."""
    reading, writing = os.pipe()
    os.write(writing, text)
    os.close(writing)
    return str(reading)


def test_a_passphrase_comes_through_a_file_descriptor(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert app_module.run(["keys", "new", "release", "--passphrase-fd", given(b"secret\n")]) == 0
    assert app_module.run(["sign", "--passphrase-fd", given(b"other\n")]) == 2
    assert "cannot be opened" in capfd.readouterr().err
    assert app_module.run(["sign", "--passphrase-fd", given(b"secret\n")]) == 0
    assert len(list(place.glob("*.intoto.jsonl"))) == 1


def test_a_passphrase_is_any_bytes_that_keys_can_be_encrypted_with(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(os.environb, b"REPROBUILD_KEY_PASSPHRASE", b"\xff\xfe")
    assert app_module.run(["keys", "new", "release"]) == 0
    assert app_module.run(["sign"]) == 0
    assert app_module.run(["sign", "--passphrase-fd", given(b"\xff\xfe\n")]) == 0
    assert app_module.run(["keys", "new", "other", "--passphrase-fd", given(b"a" * 1024)]) == 2
    assert "at most 1023 bytes" in capfd.readouterr().err


@pytest.mark.parametrize("options", [(), ("--passphrase-fd", "999")])
def test_a_key_is_never_left_unencrypted_by_accident(options: tuple[str, ...], place: Path) -> None:
    assert app_module.run(["keys", "new", "release", *options]) == 2
    assert app_module.run(["keys", "new", "release", "--passphrase-fd", given(b"\n")]) == 2
    assert not (place / "config").exists()


def test_the_documents(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def document(*arguments: str, status: int = 0) -> dict[str, object]:
        assert app_module.run([*arguments, "--json"]) == status
        found = json.loads(capfd.readouterr().out)
        assert isinstance(found, dict)
        return found

    document("keys", "new", "release", "--no-passphrase")
    signed = document("sign")
    assert signed["key"] == "release"
    text = str(document("keys", "export", "release")["text"])
    rule = '[[rules]]\nmodels = ["*"]\npredicates = ["*"]\nkeys = ["release"]\nthreshold = 1\n'
    (place / "trust.toml").write_text(f'schema = "reprobuild.trust/1"\n{text}\n{rule}')
    check = ("verify-signature", "--trust", "trust.toml")
    assert document(*check)["ok"] is True
    (place / "result" / "metrics.json").write_text("{}")
    assert document(*check, status=1)["ok"] is False
    (place / "trust.toml").write_text("")
    assert document(*check, status=2)["slug"] == "trust-file"


def test_nix_signs_what_lies_in_its_store_alone(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    app_module.run(["keys", "new", "cache-1", "--no-passphrase"])
    assert app_module.run(["sign", "--nix"]) == 2
    said = capfd.readouterr().err
    assert "a result link or a path in /nix/store" in said and "leave out --nix" in said


def test_a_trust_file_for_what_sign_and_attest_write(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name in ("release", "audit"):
        app_module.run(["keys", "new", name, "--no-passphrase"])
    app_module.run(["sign", "--key", "release"])
    trust = ("keys", "trust", "--key", "release", "--key", "audit", "--model", "digits")

    def checked(*options: str) -> str:
        capfd.readouterr()
        assert app_module.run([*trust, *options]) == 0
        (place / "trust.toml").write_text(capfd.readouterr().out)
        app_module.run(["verify-signature", "--trust", "trust.toml"])
        return capfd.readouterr().out

    assert "signatures: ok" in checked()
    assert app_module.run(["keys", "trust", "--key", "release", "--model", ""]) == 2
    assert "no model is called so" in capfd.readouterr().err
    assert "threshold-missed" in checked("--threshold", "2")
    required = checked("--required")
    assert all(f"asks for {one} of digits" in required for one in PREDICATES)


def test_a_result_that_nobody_signed(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    shutil.copy(GOLDEN / "trust.toml", place)
    assert app_module.run(["verify-signature", "--trust", "trust.toml"]) == 1
    assert "statement-missing: no file *.intoto.jsonl lies beside result" in capfd.readouterr().out
    assert app_module.run(["verify-signature", "--trust", "trust.toml", "--json"]) == 1
    assert json.loads(capfd.readouterr().out)["problems"][0]["slug"] == "statement-missing"


@pytest.mark.parametrize(
    "arguments",
    [
        ("keys", "new", "release", "--algorithm", "rsa"),
        ("keys", "new", "../release", "--no-passphrase"),
        ("keys", "export", "release"),
        ("keys", "export", "release", "--secret", "file"),
        ("sign", "--key", "release"),
        ("sign", "--record", "nothing"),
        ("sign", "--model-signing", "--record", "result/manifest.json"),
        ("sign", "--output", "nothing"),
        ("sign", "--nix", "--model-signing"),
        ("sign", "--nix", "--output", "."),
        ("sign", "nothing"),
        ("attest", "nothing"),
        ("attest", "--unsigned"),  # there is no record of it
        ("attest", "--unsigned", "--key", "release"),
        ("attest", "--key", "release"),
        ("attest", "--record", "nothing"),
        ("attest", "--verdict", "nothing"),
        ("attest", "--checklist", "nothing"),
        ("attest", "--output", "nothing"),
        ("keys", "trust", "--key", "release", "--model", "digits"),
        ("keys", "trust", "--key", "release", "--model", "digits", "--threshold", "2"),
    ],
)
def test_a_wrong_request_has_status_2_and_writes_nothing(arguments: tuple[str, ...], place: Path) -> None:
    before = sorted(place.rglob("*"))
    assert app_module.run(arguments) == 2
    assert [path for path in sorted(place.rglob("*")) if path.is_file()] == [
        path for path in before if path.is_file()
    ]


def test_a_rejected_result_is_put_into_quarantine_and_a_good_one_is_not(
    place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert app_module.run(["keys", "new", "release", "--no-passphrase"]) == 0
    assert app_module.run(["sign"]) == 0
    capfd.readouterr()
    assert app_module.run(["keys", "trust", "--key", "release", "--model", "digits"]) == 0
    (place / "trust.toml").write_text(capfd.readouterr().out)
    check = ["verify-signature", "--trust", "trust.toml", "--quarantine", "away", "--json"]
    assert app_module.run(check) == 0
    assert not (place / "away").exists()

    changed = next(file for file in (place / "result").iterdir() if file.name != "manifest.json")
    changed.write_bytes(changed.read_bytes() + b"x")
    capfd.readouterr()
    assert app_module.run(check) == 1
    said = capfd.readouterr()
    (folder,) = (place / "away").iterdir()
    assert str(folder) in said.err and not (place / "result").exists()
    assert (folder / "result" / changed.name).read_bytes().endswith(b"x")
    assert len(list(folder.glob("*.intoto.jsonl"))) == 1
    incident = json.loads((folder / "incident.json").read_text())
    assert incident["found"] == json.loads(said.out) and incident["path"] == str(place / "result")
    problems = [one for said in incident["found"]["statements"] for one in said["problems"]]
    assert any(changed.name in one["message"] and "found" in one["message"] for one in problems)


def test_what_cannot_be_moved_is_said(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (place / "trust.toml").write_bytes((GOLDEN / "trust.toml").read_bytes())
    (place / "away").write_text("a file")
    assert app_module.run(["verify-signature", "--trust", "trust.toml", "--quarantine", "away"]) == 1
    assert "--quarantine" in capfd.readouterr().err and (place / "result").exists()
