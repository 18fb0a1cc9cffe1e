"""Where statements and record of a result lie: beside it, named by the artifact id."""

from __future__ import annotations

import hashlib
from pathlib import Path

from reprobuild_verify.files import MANIFEST, artifact_id
from reprobuild_verify.problems import RefusedError
from reprobuild_verify.strict_json import parse_object

STATEMENTS = ".intoto.jsonl"
RECORD = ".record.json"
STORE = Path("/nix/store")


def beside(result: Path) -> Path:
    """The folder for what belongs to a result: where its link lies; for a store path the working folder."""
    if result.name in ("", ".."):  # such as `.`: a path that does not say where it lies
        result = result.resolve()
    return Path() if result.parent == STORE or result.parent == result else result.parent


def find_statements(result: Path) -> Path:
    """The file named after the artifact; else the only one there is, so that an edited manifest can be told.

    Raises:
        RefusedError: there is none, or more than one that it might be.
    """
    folder = beside(result)
    try:
        data = (result / MANIFEST).read_bytes()
        manifest = parse_object(data, MANIFEST)
        name = artifact_id(manifest["name"], manifest["version"], hashlib.sha256(data).hexdigest())
        if (file := folder / f"{name}{STATEMENTS}").is_file():
            return file
    except (OSError, KeyError, RefusedError):
        pass
    found = sorted(folder.glob(f"*{STATEMENTS}"))
    if len(found) != 1:
        there = f"{len(found)} files *{STATEMENTS} lie" if found else f"no file *{STATEMENTS} lies"
        raise RefusedError("statement-missing", f"{there} beside {result}: name one by --statements")
    return found[0]


def find_record(statements: Path) -> Path:
    """`NAME.record.json` beside `NAME.intoto.jsonl`; it need not exist."""
    return statements.with_name(statements.name.removesuffix(STATEMENTS) + RECORD)
