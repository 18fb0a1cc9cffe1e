"""Every format is published: a page, a JSON Schema, and vectors that stay as they are.

`tests/vectors/FORMAT/valid` holds documents that our readers take, now and in every later release of the format's
version; `invalid` those that are refused, with the reason in `reasons.json`:

    reader   words of the reader's message; null: our reader passes it over, the schema tells
    schema   whether the JSON Schema refuses it; null: it is no document that a schema could be asked about
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import BaseModel, ValidationError

from reprobuild.core.comparison.trajectory import is_trajectory
from reprobuild.core.spec_parse import parse_spec, parse_toml
from reprobuild.domain.archive import ArchiveDocument
from reprobuild.domain.attestation import Attestation
from reprobuild.domain.baseline import BASELINE_FILE
from reprobuild.domain.cuda import CudaTable
from reprobuild.domain.difference import Difference
from reprobuild.domain.hardware import HardwareProfile
from reprobuild.domain.lineage import Lineage
from reprobuild.domain.signing_key import SigningKey
from reprobuild.domain.spec import SPEC_FILE, Spec
from reprobuild.domain.trust import TrustFile
from reprobuild.domain.verdict import Verdict
from reprobuild.errors import ReprobuildError
from reprobuild.services.artifact import read_manifest
from reprobuild.services.baseline_file import read_baseline
from reprobuild.services.checklist import read_checklist
from reprobuild.services.project import Project, parse_lock
from reprobuild.services.side import read_record
from reprobuild_handshake.asked import VARIABLE as HARDWARE_VARIABLE
from reprobuild_handshake.asked import asked
from reprobuild_verify.problems import RefusedError
from reprobuild_verify.statement import parse_statement
from reprobuild_verify.trust import parse_trust
from reprobuild_worker.config import MODEL_VARIABLE, STAGE_VARIABLE, model_config, stage_config
from reprobuild_worker.errors import ConfigError

from .signing_examples import write_files
from .spec_examples import SPEC

ROOT = Path(__file__).parents[2]
VECTORS = ROOT / "tests/vectors"
SUMS = VECTORS / "SHA256SUMS"

Reader = Callable[[bytes], object]


def model(format_: type[BaseModel]) -> Reader:
    return lambda data: format_.model_validate_json(data)


def in_file(read: Callable[[Path], object], name: str, of: str = "") -> Reader:
    """A reader that is given a file's path, or with `of` "folder" that of its folder."""

    def reader(data: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / name
            file.write_bytes(data)
            read(file.parent if of == "folder" else file)

    return reader


def trajectory(data: bytes) -> None:
    if not is_trajectory(json.loads(data)):
        raise ValueError("no trajectory")


def attestation(data: bytes) -> None:
    Attestation.model_validate_json(data)
    parse_statement(data, "attestation")


def checklist(file: Path) -> None:
    read_checklist(file, read_manifest(write_files(file.parent / "artifact")))


def spec(data: bytes) -> Spec:
    return parse_spec(parse_toml(data.decode(), SPEC_FILE))


# Format → what we read it with. A new format: its schema, its page, its vectors, and a line here.
READERS: dict[str, Reader] = {
    "archive-1": model(ArchiveDocument),
    "attestation-1": attestation,
    "baseline-1": in_file(
        lambda file: read_baseline(Project(file.parent, spec(SPEC.encode()), {})), BASELINE_FILE
    ),
    "checklist-1": in_file(checklist, "checklist.toml"),
    "cuda-table-1": model(CudaTable),
    "diff-1": model(Difference),
    "hardware-profile-1": model(HardwareProfile),
    "key-1": model(SigningKey),
    "lineage-1": model(Lineage),
    "lock-1": lambda data: parse_lock(data.decode()),
    "manifest-1": in_file(read_manifest, "manifest.json", of="folder"),
    "model-1": lambda data: model_config({MODEL_VARIABLE: data.decode()}),
    "record-1": in_file(read_record, "record.json"),
    "spec-1": spec,
    "stage-1": lambda data: stage_config({STAGE_VARIABLE: data.decode()}),
    "stage-hardware-1": lambda data: asked({HARDWARE_VARIABLE: data.decode()}),
    "statement-1": lambda data: parse_statement(data, "statement"),
    "trajectory-1": trajectory,
    "trust-1": parse_trust,
    "verdict-1": model(Verdict),
}
IN_TOTO = {"attestation-1", "statement-1"}  # they have in-toto's `predicateType` in place of `schema`
# Where the page is not called as the format.
PAGES = {
    "key": "keys.md",
    "model": "worker-config.md",
    "stage": "worker-config.md",
    "stage-hardware": "worker-config.md",
}
# Pages about something that is no JSON or TOML document of ours, or a part of another format's.
WITHOUT_SCHEMA = {
    "comparison.md": "a part of the verdict",
    "json-output.md": "what commands print; its test names every key",
    "metric-verdict.md": "a part of the verdict",
    "model-card.md": "Markdown",
    "sbom.md": "CycloneDX and SPDX, which have schemas of their own",
    "system-features.md": "words",
    "weights-digest.md": "an algorithm",
}
FORMATS = sorted(
    file.stem.removeprefix("reprobuild-") for file in (ROOT / "schemas").glob("reprobuild-*.json")
)


def page_of(name: str) -> Path:
    bare = name.rpartition("-")[0]
    return ROOT / "docs/formats" / PAGES.get(bare, f"{bare}.md")


def vectors(kind: str) -> list[tuple[str, Path]]:
    return [
        (folder.name, file)
        for folder in sorted(VECTORS.iterdir())
        if folder.is_dir()
        for file in sorted((folder / kind).iterdir())
        if file.name != "reasons.json"
    ]


def name(value: object) -> str:
    return value.name if isinstance(value, Path) else str(value)


def schema_refuses(format_: str, file: Path) -> bool | None:
    """None: it is not even TOML or JSON."""
    schema = json.loads((ROOT / f"schemas/reprobuild-{format_}.json").read_bytes())
    try:
        text = file.read_text(encoding="utf-8")
        document: Any = tomllib.loads(text) if file.suffix == ".toml" else json.loads(text)
    except ValueError:
        return None
    return not jsonschema.Draft202012Validator(schema).is_valid(json.loads(json.dumps(document, default=str)))


def refusal(format_: str, file: Path) -> str | None:
    """What our reader says against it."""
    try:
        READERS[format_](file.read_bytes())
    except ReprobuildError as error:
        return " ".join(filter(None, (error.message, error.expected, error.actual, *error.details)))
    except (ConfigError, RefusedError, ValidationError, ValueError) as error:
        return str(error)
    return None


@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_has_a_page_with_its_version_a_reader_and_vectors(format_: str) -> None:
    page = page_of(format_).read_text(encoding="utf-8")
    bare, _, version = format_.rpartition("-")
    assert re.search(rf"^# .*, version {version}$", page, re.MULTILINE)
    assert f"schemas/reprobuild-{format_}.json" in page, "the page names the schema"
    assert f"reprobuild.{bare}/{version}" in page or format_ in IN_TOTO
    assert format_ in READERS
    for kind in ("valid", "invalid"):
        assert [file for found, file in vectors(kind) if found == format_], f"no {kind} vector"


def test_every_page_is_of_a_format_with_a_schema_or_says_why_not() -> None:
    pages = {page.name for page in (ROOT / "docs/formats").glob("*.md")}
    assert pages == {page_of(format_).name for format_ in FORMATS} | WITHOUT_SCHEMA.keys()


@pytest.mark.parametrize(("format_", "file"), vectors("valid"), ids=name)
def test_a_valid_vector_is_taken_by_schema_and_reader(format_: str, file: Path) -> None:
    assert schema_refuses(format_, file) is False
    assert refusal(format_, file) is None


@pytest.mark.parametrize(("format_", "file"), vectors("invalid"), ids=name)
def test_an_invalid_vector_is_refused_for_its_reason(format_: str, file: Path) -> None:
    expected = json.loads((file.parent / "reasons.json").read_bytes())[file.name]
    assert schema_refuses(format_, file) is expected["schema"]
    said = refusal(format_, file)
    if expected["reader"] is None:
        assert said is None and expected["schema"]
    else:
        assert said is not None and expected["reader"] in said


def test_each_reason_belongs_to_a_vector() -> None:
    for reasons in VECTORS.glob("*/invalid/reasons.json"):
        files = {file.name for file in reasons.parent.iterdir()} - {"reasons.json"}
        assert set(json.loads(reasons.read_bytes())) == files


def test_trust_files_are_refused_by_the_class_too() -> None:
    """The class makes the schema; people's files are read by the checker, which knows no pydantic."""
    text = (VECTORS / "trust-1/valid/two-of-two.toml").read_text()
    assert TrustFile.model_validate(tomllib.loads(text))


def test_vectors_stay_as_they_are() -> None:
    """A vector is never changed or removed; a new one gets its line: `sha256sum` in tests/vectors."""
    listed = dict(reversed(line.split("  ", 1)) for line in SUMS.read_text().splitlines())
    found = {
        str(file.relative_to(VECTORS)): hashlib.sha256(file.read_bytes()).hexdigest()
        for kind in ("valid", "invalid")
        for _, file in vectors(kind)
    }
    assert found == listed
