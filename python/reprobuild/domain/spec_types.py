"""The values inside a spec: text in a certain form, each checked where it enters.

Whoever needs one takes the annotated type, at the end of this file.
"""

from __future__ import annotations

import datetime
import re
from typing import Annotated, Any, NoReturn

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from reprobuild.domain.digest import Digest

_NAME = r"^[a-z][a-z0-9-]*$"
_MODEL_NAME = r"^[a-z0-9][a-z0-9-]*$"
_TASK = r"^[a-z0-9-]+$"
_VERSION = r"^[0-9A-Za-z][0-9A-Za-z._-]*$"
_METRIC_NAME = r"^[a-zA-Z][a-zA-Z0-9_.-]*$"
_DATE = r"^\d{4}-\d{2}-\d{2}$"
_SNAPSHOT = r"^\d{8}T\d{6}Z$"
_CUDA_VERSION = r"^[1-9][0-9]*\.[0-9]+$"
_DRIVER_VERSION = r"^[1-9][0-9]*(\.[0-9]+){0,2}$"
_DRIVER_BRANCH = r"^[1-9][0-9]*$"
_COMPUTE_CAPABILITY = r"^[1-9][0-9]*\.[0-9]$"
_GPU_NAME = r"^[a-z0-9]+(-[a-z0-9]+)*$"

# What each pattern means, for messages.
PATTERN_WORDS = {
    _NAME: "a small letter, then small letters, digits and -, such as train-2",
    _MODEL_NAME: "small letters, digits and -, such as digits-2",
    _TASK: "small letters, digits and -, such as image-classification",
    _VERSION: "letters, digits, and . _ - between them, such as 1.0.0",
    _METRIC_NAME: "a letter, then letters, digits and . _ -, such as f1_score",
    _DATE: "a date as YYYY-MM-DD, such as 2026-11-20",
    _CUDA_VERSION: "two numbers as a string, such as 13.0",
    _DRIVER_VERSION: "up to three numbers as a string, such as 580.65.06",
    _DRIVER_BRANCH: "the first number of the driver's version as a string, such as 580",
    _COMPUTE_CAPABILITY: "two numbers as a string, such as 9.0",
    _GPU_NAME: "small letters, digits and - between them, as `reprobuild builder probe` says it, such as h100",
    _SNAPSHOT: "a moment as YYYYMMDDTHHMMSSZ, such as 20261120T000000Z",
}


def refuse(message: str, expected: str, hint: str = "", actual: str = "") -> NoReturn:
    """Refuse a value; core/spec_problem.py makes the error of it, with file and key."""
    sides = {"expected": expected, "hint": hint, "actual": actual}
    raise PydanticCustomError("spec", message, {key: text for key, text in sides.items() if text})


def _inside(path: str, place: str, example: str) -> str:
    parts = path.split("/")
    if path.startswith("/") or "\\" in path or not {"", ".", ".."}.isdisjoint(parts):
        refuse(
            f"not a path inside the {place}",
            f"names joined by /, without . and .. among them, such as {example}",
        )
    return path


def _project_path(path: str) -> str:
    return _inside(path, "project", "data/rows.csv")


def _output_path(path: str) -> str:
    return _inside(path, "stage's output", "weights.safetensors")


def _entry_point(text: str) -> str:
    if re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", text, re.ASCII):
        return text
    if not re.fullmatch(r"[\w./-]+\.py", text, re.ASCII):
        refuse("neither a script nor a function", "script.py, or package.module:function")
    return _project_path(text)


def _real_date(text: str) -> str:
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        refuse("there is no such day", "a date as YYYY-MM-DD, such as 2026-11-20")
    return text


def without_secrets(text: str) -> str:
    """Any text as messages may show it: addresses inside it lose user, password, query and fragment."""
    return re.sub(r"(://[^\s\"'?#]*)[?#][^\s\"']*", r"\1?…", re.sub(r"(?<=://)[^\s\"']*@", "…@", text))


def _no_login(text: str) -> str:
    if re.search(r"://[^/?#\s]*@", text):
        refuse(
            "an address with a user or password in it",
            "an address without secrets: the spec becomes part of every artifact",
            "put user and password into ~/.netrc, or into a keyring",
            without_secrets(text),
        )
    return text


def _no_query(text: str, marks: str) -> str:
    if re.search(rf"://[^\s]*[{marks}]", text):
        refuse(
            "an address with a query or fragment in it",
            "a plain address: what follows ? or # may be a secret, and the spec becomes part of every artifact",
            "leave it out, and put user and password into ~/.netrc",
            without_secrets(text),
        )
    return text


def _address(text: str) -> str:
    if not text.startswith(("http://", "https://", "file://")):
        refuse("not an address", "https://HOST/PATH (or http, file)")
    return _no_query(_no_login(text), "?#")


def _requirement(text: str) -> str:
    return _no_query(_no_login(text), "?")  # its fragment is a digest: nothing that a server would see


def _sri(text: Any) -> Any:
    """One spelling only, as the digest of a lock's inputs is taken over the text (nix/lib/lock.nix)."""
    if isinstance(text, str):
        try:
            digest = Digest(text)
        except ValueError:
            refuse(
                "not a SHA-256 digest",
                "sha256- and 44 characters of base 64, as `nix hash file FILE` prints it",
            )
        if digest != text:
            refuse(
                "a digest in another spelling", str(digest), "write the expected text: it is the same digest"
            )
    return text


Name = Annotated[str, StringConstraints(pattern=_NAME, max_length=64)]
ModelName = Annotated[str, StringConstraints(pattern=_MODEL_NAME, max_length=64)]
Task = Annotated[str, StringConstraints(pattern=_TASK, max_length=64)]
ModelVersion = Annotated[str, StringConstraints(pattern=_VERSION, max_length=64)]
MetricName = Annotated[str, StringConstraints(pattern=_METRIC_NAME, max_length=64)]
Text = Annotated[str, StringConstraints(min_length=1)]
Date = Annotated[str, StringConstraints(pattern=_DATE), AfterValidator(_real_date)]
Snapshot = Annotated[str, StringConstraints(pattern=_SNAPSHOT)]
CudaVersion = Annotated[str, StringConstraints(pattern=_CUDA_VERSION)]
DriverVersion = Annotated[str, StringConstraints(pattern=_DRIVER_VERSION)]
DriverBranch = Annotated[str, StringConstraints(pattern=_DRIVER_BRANCH)]
ComputeCapability = Annotated[str, StringConstraints(pattern=_COMPUTE_CAPABILITY)]
GpuName = Annotated[str, StringConstraints(pattern=_GPU_NAME, max_length=64)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
ProjectPath = Annotated[Text, AfterValidator(_project_path)]
OutputPath = Annotated[Text, AfterValidator(_output_path)]
EntryPoint = Annotated[Text, AfterValidator(_entry_point)]
Address = Annotated[Text, AfterValidator(_address)]
AddressOrText = Annotated[Text, AfterValidator(_no_login)]
Requirement = Annotated[Text, AfterValidator(_requirement)]
SriDigest = Annotated[Digest, BeforeValidator(_sri)]
