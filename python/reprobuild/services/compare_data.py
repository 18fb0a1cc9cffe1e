"""Which datasets and rows differ between two sides? Rows are read where both contents are at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reprobuild.core.difference.meaning import data_changes
from reprobuild.core.difference.rows import MAX_TABLE_BYTES, is_table, row_changes
from reprobuild.domain.difference import DataChange
from reprobuild.domain.digest import Digest
from reprobuild.domain.lock import Source
from reprobuild.services.snapshot import Snapshot


def compare_data(first: Snapshot, second: Snapshot) -> tuple[DataChange, ...]:
    """Datasets that differ by the pins of both locks; nothing where a lock is not known."""
    if first.lock is None or second.lock is None:
        return ()
    pins = [{one.name: one for one in side.lock.of_kind("data")} for side in (first, second) if side.lock]
    found = []
    for change in data_changes(*pins):
        if change.state == "changed":
            pair = pins[0][change.name], pins[1][change.name]
            change = change.model_copy(update=_rows(pair, first.data_folder, second.data_folder))
        found.append(change)
    return tuple(found)


def _rows(pins: tuple[Source, Source], *folders: Path | None) -> dict[str, Any]:
    """`rows`, or `rows_unknown` with the reason."""
    if not is_table(pins[1].file_name) or not is_table(pins[0].file_name):
        return {"rows_unknown": "neither CSV nor JSON Lines"}
    if max(pin.size_bytes for pin in pins) > MAX_TABLE_BYTES:
        return {"rows_unknown": f"larger than {MAX_TABLE_BYTES >> 20} MiB"}
    contents = [_pinned_content(pin, folder) for pin, folder in zip(pins, folders, strict=True)]
    for number, content in enumerate(contents):
        if content is None:
            side = ("first", "second")[number]
            return {"rows_unknown": f"the {side} side's file is neither in its folder nor in the store here"}
    try:
        return {"rows": row_changes(pins[1].file_name, contents[0] or b"", contents[1] or b"")}
    except ValueError as error:
        return {"rows_unknown": str(error)}


def _pinned_content(pin: Source, folder: Path | None) -> bytes | None:
    """The very bytes that are pinned, from the store or the project; None where there are none."""
    places = [Path(pin.store_path)]
    if folder is not None and pin.path is not None:
        places.append(folder / pin.path)
    for place in places:
        try:
            content = place.read_bytes()
        except OSError:
            continue
        if Digest.of_bytes(content) == pin.sha256:
            return content
    return None
