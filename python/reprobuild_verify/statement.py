"""in-toto statements: about which files they are, and whether a folder is those files."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reprobuild_verify.files import MANIFEST, artifact_id, compare, whole_artifact
from reprobuild_verify.problems import Problem, RefusedError
from reprobuild_verify.strict_json import parse_object

STATEMENT = "https://in-toto.io/Statement/v1"
ARTIFACT = "urn:reprobuild:artifact:1"
MODEL_SIGNING = "https://model_signing/signature/v1.0"
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True)
class Statement:
    predicate_type: str
    subjects: Mapping[str, str]  # name → SHA-256 (hex)
    predicate: Mapping[str, Any]

    @property
    def covers_all_files(self) -> bool:
        """Whether it is about every file of an artifact, so that an extra one can be told."""
        return self.predicate_type in (ARTIFACT, MODEL_SIGNING)

    @property
    def artifact_id(self) -> str | None:
        """Of an artifact statement, where it follows from the manifest's digest."""
        return str(self.predicate["artifactId"]) if self.predicate_type == ARTIFACT else None


def parse_statement(payload: bytes, what: str) -> Statement:
    """
    Args:
        payload: the bytes that a signature was verified over.
    Raises:
        RefusedError: not a statement v1, or one that contradicts itself.
    """
    fields = parse_object(payload, what)
    if fields.get("_type") != STATEMENT:
        raise RefusedError("statement-malformed", f"{what}: of type {fields.get('_type')}, not {STATEMENT}")
    try:
        names = [one["name"] for one in fields["subject"]]
        subjects = {str(one["name"]): _sha256(one["digest"]["sha256"]) for one in fields["subject"]}
        made = Statement(str(fields["predicateType"]), subjects, dict(fields["predicate"]))
        if len(names) != len(subjects) or not subjects:
            raise ValueError("a subject is there twice, or there is none")
        if made.predicate_type == ARTIFACT:
            _check_artifact(made)
        elif made.predicate_type == MODEL_SIGNING:
            _check_resources(made)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RefusedError("statement-malformed", f"{what}: {error!r}") from error
    return made


def model_name(statement: Statement, found: Mapping[str, str], folder: Path) -> str:
    """The model that rules are looked up for: as the signed predicate says, else as the manifest at hand says."""
    if statement.predicate_type == ARTIFACT:
        return str(statement.predicate["name"])
    return manifest_model(folder) or next(iter(statement.subjects))


def manifest_model(folder: Path) -> str | None:
    """The model's name, as the manifest at hand says; None without one."""
    try:
        return str(parse_object((folder / MANIFEST).read_bytes(), MANIFEST)["name"])
    except (OSError, KeyError, RefusedError):
        return None


def check_content(
    statement: Statement, folder: Path, found: Mapping[str, str], record: Path | None
) -> list[Problem]:
    """Is the folder what the statement is about?"""
    if statement.predicate_type == ARTIFACT:
        problems = _check_record(statement, record)
        mine, there = str(statement.predicate["artifactId"]), whole_artifact(folder, found)
        if there is not None and there != mine:
            problems.append(Problem("other-artifact", f"the statement is about {mine}, this is {there}"))
        return problems + compare(statement.subjects, found)
    if statement.predicate_type == MODEL_SIGNING:
        signed = {one["name"]: one["digest"] for one in statement.predicate["resources"]}
        return compare(signed, found, statement.predicate["serialization"].get("ignore_paths", ()))
    if statement.subjects.get(MANIFEST) != found.get(MANIFEST):
        return [Problem("other-artifact", f"the statement is not about this {MANIFEST}")]
    return compare(
        statement.subjects, {name: found[name] for name in statement.subjects.keys() & found.keys()}
    )


def _check_artifact(statement: Statement) -> None:
    predicate, manifest = statement.predicate, statement.subjects[MANIFEST]
    if predicate["manifestSha256"] != manifest:
        raise ValueError("manifestSha256 is not the digest of the subject manifest.json")
    if predicate["artifactId"] != artifact_id(predicate["name"], predicate["version"], manifest):
        raise ValueError("artifactId does not follow from name, version and manifest")
    if "recordSha256" in predicate:
        _sha256(predicate["recordSha256"])


def _check_record(statement: Statement, record: Path | None) -> list[Problem]:
    signed = statement.predicate.get("recordSha256")
    if signed is None:
        return []
    try:
        data = record.read_bytes() if record is not None else None
    except OSError:
        data = None
    if record is None or data is None:
        return [Problem("record-missing", f"the build record that was signed cannot be read at {record}")]
    actual = hashlib.sha256(data).hexdigest()
    if actual != signed:
        return [Problem("record-changed", f"{record.name}: signed {signed}, found {actual}")]
    return []


def _check_resources(statement: Statement) -> None:
    """Source: OpenSSF Model Signing v1.0: the subject's digest is that of all resources' digests in a row."""
    serialization, resources = statement.predicate["serialization"], statement.predicate["resources"]
    if serialization["method"] != "files" or serialization["hash_type"] != "sha256":
        raise ValueError(
            f"serialization {serialization['method']} with {serialization['hash_type']}, "
            "only files with sha256 is supported"
        )
    if serialization.get("allow_symlinks", False):
        raise ValueError("it allows symbolic links, which are not followed here")
    if not resources:
        raise ValueError("it is about no file")
    names = [one["name"] for one in resources]
    ignored = serialization.get("ignore_paths", [])
    if not isinstance(ignored, list) or not all(isinstance(one, str) for one in (*names, *ignored)):
        raise ValueError("names of resources and ignore_paths are no lists of text")
    if len(set(names)) != len(resources):
        raise ValueError("a resource is there twice")
    if any(one["algorithm"] != "sha256" for one in resources):
        raise ValueError("a resource's digest is not of sha256")
    row = b"".join(bytes.fromhex(_sha256(one["digest"])) for one in resources)
    if list(statement.subjects.values()) != [hashlib.sha256(row).hexdigest()]:
        raise ValueError("the subject's digest is not that of the resources")


def _sha256(value: Any) -> str:
    if not isinstance(value, str) or not _SHA256.match(value):
        raise ValueError(f"{value!r} is not a SHA-256 digest in hex")
    return value
