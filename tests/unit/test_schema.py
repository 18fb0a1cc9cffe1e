"""What is checked in about the formats is what the classes say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reprobuild.core import schemas

ROOT = Path(__file__).parents[2]
PUBLISHED = {
    "schemas/reprobuild-spec-1.json": (schemas.spec_schema, "reprobuild schema"),
    "schemas/reprobuild-lock-1.json": (schemas.lock_schema, "reprobuild schema --lock"),
    "schemas/reprobuild-record-1.json": (schemas.record_schema, "reprobuild schema --record"),
    "schemas/reprobuild-verdict-1.json": (schemas.verdict_schema, "reprobuild schema --verdict"),
    "schemas/reprobuild-baseline-1.json": (schemas.baseline_schema, "reprobuild schema --baseline"),
    "schemas/reprobuild-hardware-profile-1.json": (schemas.hardware_schema, "reprobuild schema --hardware"),
    "schemas/reprobuild-cuda-table-1.json": (schemas.cuda_table_schema, "reprobuild schema --cuda"),
    "schemas/reprobuild-archive-1.json": (schemas.archive_schema, "reprobuild schema --archive"),
    "schemas/reprobuild-trust-1.json": (schemas.trust_schema, "reprobuild schema --trust"),
    "schemas/reprobuild-statement-1.json": (schemas.statement_schema, "reprobuild schema --statement"),
    "schemas/reprobuild-attestation-1.json": (schemas.attestation_schema, "reprobuild schema --attestation"),
    "schemas/reprobuild-checklist-1.json": (schemas.checklist_schema, "reprobuild schema --checklist"),
    "schemas/reprobuild-key-1.json": (schemas.key_schema, "reprobuild schema --key"),
    "schemas/reprobuild-diff-1.json": (schemas.diff_schema, "reprobuild schema --diff"),
    "schemas/reprobuild-lineage-1.json": (schemas.lineage_schema, "reprobuild schema --lineage"),
    "nix/lib/spec-defaults.json": (schemas.spec_defaults, "reprobuild schema --defaults"),
}


@pytest.mark.parametrize("file", PUBLISHED)
def test_what_is_checked_in_has_not_drifted(file: str) -> None:
    made, command = PUBLISHED[file]
    expected = json.dumps(made(), indent=2, ensure_ascii=False) + "\n"
    assert (ROOT / file).read_text(encoding="utf-8") == expected, f"refresh it: {command} > {file}"


@pytest.mark.parametrize("file", [file for file in PUBLISHED if file.startswith("schemas/")])
def test_each_is_a_valid_json_schema(file: str) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads((ROOT / file).read_text(encoding="utf-8")))


def test_every_key_of_the_spec_says_what_it_means() -> None:
    silent = [
        f"{name}.{key}"
        for name, section in schemas.spec_schema()["$defs"].items()
        for key, value in section["properties"].items()
        if "description" not in value
    ]
    assert silent == []


def test_the_schema_refuses_unknown_keys_everywhere() -> None:
    def open_sections(value: Any, place: str) -> list[str]:
        found = []
        if isinstance(value, dict):
            if "properties" in value and value.get("additionalProperties") is not False:
                found.append(place)
            for key, inner in value.items():
                found += open_sections(inner, f"{place}/{key}")
        return found

    assert open_sections(schemas.spec_schema(), "") == []
