"""Read an advisory database: OSV documents or zips in a folder, a zip as OSV publishes them, or one file."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from reprobuild.core.sbom.advisories import Advisory, parse_advisory
from reprobuild.errors import AdvisoryError


def read_advisories(place: Path) -> Iterator[Advisory]:
    """Every advisory that was not withdrawn, in order of file names.

    Raises:
        AdvisoryError: there is no document, or one that is not in the OSV format.
    """
    count = 0
    for name, raw in _documents(place):
        count += 1
        try:
            advisory = parse_advisory(json.loads(raw))
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
            raise AdvisoryError(
                f"{name} is not an advisory in the OSV format",
                expected="a JSON object with id and affected",
                expected_from="OSV schema",
                actual=f"no {error}" if isinstance(error, KeyError) else str(error),
                hint="fetch the database anew, or take the file out of it",
            ) from error
        if advisory is not None:
            yield advisory
    if not count:
        raise AdvisoryError(
            f"no advisories at {place}",
            expected="a folder or zip with .json files in the OSV format",
            actual="no such file" if not place.exists() else "no .json file",
            hint="name the folder or zip that the database was unpacked or downloaded to",
        )


def _documents(place: Path) -> Iterator[tuple[str, bytes]]:
    try:
        if place.is_dir():
            for file in sorted((*place.rglob("*.json"), *place.rglob("*.zip"))):
                yield from _documents(file)
        elif place.suffix == ".json" and place.is_file():
            yield str(place), place.read_bytes()
        elif place.is_file():
            with zipfile.ZipFile(place) as packed:
                for name in sorted(packed.namelist()):
                    if name.endswith(".json"):
                        yield f"{place}: {name}", packed.read(name)
    except (
        OSError,
        EOFError,
        RuntimeError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:  # RuntimeError: encrypted
        raise AdvisoryError(
            f"cannot read {place}: {error}", hint="fetch the advisory database anew"
        ) from error
