"""The format pages name exactly the keys that the formats have, with their types' defaults."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from reprobuild.core import schemas
from reprobuild.domain.metric_verdict import MetricVerdict

ROOT = Path(__file__).parents[2]
FORMATS = ROOT / "docs/formats"

# heading -> section of the schema ("" is the top level)
SPEC_SECTIONS = {
    "Top level": "",
    "`[model]`": "Model",
    "`[model.inputs.NAME]` and `[model.outputs.NAME]`": "TensorSignature",
    "`[base]`": "Base",
    "`[python]`": "Python",
    "`[cuda]`": "Cuda",
    "`[driver]`": "Driver",
    "`[hardware]`": "Hardware",
    "`[numerics]`": "Numerics",
    "`[datasets.NAME]`": "Dataset",
    "`[stages.NAME]`": "Stage",
    "`[stages.NAME.resources]`": "Resources",
    "`[metrics.NAME]`": "Metric",
    "`[metrics.NAME.tolerance]`": "Tolerance",
    "`[metrics.NAME.tolerance.statistical]`": "StatisticalTolerance",
    "`[artifact]`": "Artifact",
}
PAGES = {
    "archive.md": (schemas.archive_schema, {"`archive.json`": ""}),
    "lock.md": (
        schemas.lock_schema,
        {"Lock": "", "`systems.SYSTEM`": "DebianBasePin", "`sources[]`": "Source"},
    ),
    "baseline.md": (
        schemas.baseline_schema,
        {
            "Baseline": "",
            "`metrics.NAME`": "MetricBaseline",
            "`runs[]`": "BaselineRun",
            "`runs[].outputs[]`": "RunOutput",
        },
    ),
    "metric-verdict.md": (MetricVerdict.model_json_schema, {"Verdict on a metric": ""}),
    "comparison.md": (
        schemas.verdict_schema,
        {
            "`comparison`": "StageComparison",
            "`files[]`": "FileDifference",
            "`tensors[]`": "TensorDifference",
            "`trajectory`": "TrajectoryDifference",
            "`documents[]`": "JsonDifference",
            "`causes[]`": "Cause",
        },
    ),
    "record.md": (
        schemas.record_schema,
        {"Build record": "", "`outputs[]`": "OutputRecord", "`off_plan[]`": "OffPlan"},
    ),
    "hardware-profile.md": (
        schemas.hardware_schema,
        {
            "Hardware profile": "",
            "`cpu`": "Cpu",
            "`driver`": "Driver",
            "`gpus[]`": "Gpu",
            "`gpus[].mig_slices[]`": "MigSlice",
        },
    ),
    "cuda-table.md": (
        schemas.cuda_table_schema,
        {
            "CUDA table": "",
            "`sources[]`": "CudaSource",
            "`toolkits.VERSION`": "Toolkit",
            "`torch.VERSION`": "TorchBuild",
        },
    ),
    "trust.md": (
        schemas.trust_schema,
        {
            "Trust file": "",
            "`keys.NAME`": "TrustKey",
            "`keys.NAME.revoked`": "TrustRevocation",
            "`rules[]`": "TrustRule",
        },
    ),
    "statement.md": (
        schemas.statement_schema,
        {"Artifact statement": "", "`predicate`": "ArtifactPredicate"},
    ),
    "attestation.md": (
        schemas.attestation_schema,
        {
            "A resource": "Resource",
            "`buildDefinition`": "BuildDefinition",
            "`externalParameters`": "ExternalParameters",
            "`internalParameters`": "InternalParameters",
            "`runDetails`": "RunDetails",
            "`builder`": "Builder",
            "`metadata`": "BuildMetadata",
            "Test result": "TestResult",
            "Attribute report": "AttributeAssertion",
        },
    ),
    "checklist.md": (schemas.checklist_schema, {"Checklist": "", "`items[]`": "ChecklistItem"}),
    "keys.md": (schemas.key_schema, {"`NAME.json`": ""}),
    "diff.md": (
        schemas.diff_schema,
        {
            "Difference": "",
            "`first` and `second`": "ComparedSide",
            "`meaning`": "Meaning",
            "A changed value": "ValueChange",
            "`metrics[]`": "MetricChange",
            "`data[]`": "DataChange",
            "`data[].rows`": "RowChanges",
            "`data[].rows.examples[]`": "RowChange",
            "`code[]`": "CodeChange",
            "`weights[]`": "WeightsChange",
            "`closure`": "Closure",
            "`closure.packages[]`": "PackageChange",
            "`closure.totals[]`": "KindTotal",
            "`cause[]`": "DerivationDifference",
        },
    ),
    "lineage.md": (
        schemas.lineage_schema,
        {
            "Lineage": "",
            "A part": "Part",
            "`made_of[]`": "MadeOf",
            "`flowed_into[]`": "Affected",
            "`not_known[]`": "NotKnown",
        },
    ),
    "verdict.md": (schemas.verdict_schema, {"Verdict": "", "`stages[]`": "StageVerdict"}),
}


def tables(page: Path) -> dict[str, list[list[str]]]:
    """Heading -> rows of the first table below it, the head left out."""
    found: dict[str, list[list[str]]] = {}
    for part in re.split(r"^#+ ", page.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        heading, _, text = part.partition("\n")
        rows = re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE)
        if rows:
            found[heading.partition(", version")[0]] = [
                [cell.strip() for cell in line.strip("|").split("|")] for line in rows[0].splitlines()[2:]
            ]
    return found


def keys(rows: list[list[str]]) -> list[str]:
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row[0])]


def section(schema: dict[str, Any], name: str) -> dict[str, Any]:
    found = schema["$defs"][name] if name else schema
    assert isinstance(found, dict)
    return found


def test_every_section_of_the_spec_has_its_table() -> None:
    assert set(SPEC_SECTIONS.values()) == {"", *schemas.spec_schema()["$defs"]}


@pytest.mark.parametrize("heading", SPEC_SECTIONS)
def test_the_page_of_the_spec_names_every_key_and_its_default(heading: str) -> None:
    rows = tables(FORMATS / "spec.md")[heading]
    schema = section(schemas.spec_schema(), SPEC_SECTIONS[heading])
    assert keys(rows) == list(schema["properties"])
    for key, row in zip(schema["properties"], rows, strict=True):
        value = schema["properties"][key]
        if key in schema.get("required", ()):
            assert row[2] == "**required**", f"{heading} {key}"
        elif "$ref" in value or isinstance(value.get("default"), dict):
            assert row[2] in ("its defaults", "none", "`{}`"), f"{heading} {key}"
        elif value["default"] is None:
            assert row[2] == "none", f"{heading} {key}"
        else:
            written = value["default"] if row[2][1:-1] == value["default"] else json.dumps(value["default"])
            assert row[2] == f"`{written}`", f"{heading} {key}"


@pytest.mark.parametrize(
    ("page", "heading"), [(page, heading) for page, (_, sections) in PAGES.items() for heading in sections]
)
def test_the_other_pages_name_every_key(page: str, heading: str) -> None:
    made, sections = PAGES[page]
    assert keys(tables(FORMATS / page)[heading]) == list(section(made(), sections[heading])["properties"])


def test_the_page_of_json_output_names_every_document_that_commands_print() -> None:
    sources = [*(ROOT / "python/reprobuild/cli").rglob("*.py"), ROOT / "python/reprobuild/errors.py"]
    printed = {
        name
        for file in sources
        for name in re.findall(r'"schema": "(reprobuild\.[^"]+)"', file.read_text(encoding="utf-8"))
    }
    own_pages = {
        "`reprobuild.diff/1`",
        "`reprobuild.lineage/1`",
        "`reprobuild.hardware-profile/1`",
        "`reprobuild.verdict/1`",
    }
    documented = set(tables(FORMATS / "json-output.md")) | own_pages
    assert {f"`{name}`" for name in printed} | own_pages == documented


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("init", "init/1"),
        ("lock", "lock-changes/1"),
        ("fetch", "fetch/1"),
        ("plan", "plan/1"),
        ("cache", "cache-transfer/1"),
        ("cache", "cache-check/1"),
        ("archive", "archived/1"),
        ("archive", "archive-check/1"),
        ("build", "build/1"),
        ("nix", "eval/1"),
        ("show", "show/1"),
        ("show", "inputs/1"),
        ("why", "why/1"),
        ("lineage", "openlineage/1"),
        ("lineage", "lineage-index/1"),
        ("sign", "signed/1"),
        ("attest", "attested/1"),
        ("keys", "keys/1"),
        ("sbom", "sbom/1"),
        ("doctor", "doctor/1"),
    ],
)
def test_the_page_of_json_output_names_every_key(command: str, name: str) -> None:
    printed = _keys_of(ROOT / f"python/reprobuild/cli/commands/{command}.py", f"reprobuild.{name}")
    rows = tables(FORMATS / "json-output.md")[f"`reprobuild.{name}`"]
    assert set(keys(rows)) <= printed
    assert printed - set(re.findall(r"`(\w+)`", str(rows))) - {"schema"} == set()


def _keys_of(file: Path, name: str) -> set[str]:
    """All keys, at any depth, of the dict display in this file whose `schema` is `name`."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Dict) and any(getattr(value, "value", None) == name for value in node.values):
            inner = (found for found in ast.walk(node) if isinstance(found, ast.Dict))
            return {key.value for found in inner for key in found.keys if isinstance(key, ast.Constant)}
    raise AssertionError(f"{file} prints no {name}")
