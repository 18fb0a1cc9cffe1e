"""Build records of models that were never built, in a folder as builds leave them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reprobuild.adapters.record_store import FileRecordStore
from reprobuild.core.spec_parse import parse_spec, parse_toml
from reprobuild.domain.digest import Digest
from reprobuild.domain.lock import Lock, Source
from reprobuild.domain.record import BuildRecord, OutputRecord
from reprobuild.domain.store_path import fixed_output_path
from reprobuild.services.artifact import artifact_id

from .sbom_examples import PIN, source

WHEEL = source("wheel", "numpy", "2.4.6")
LIBC = source("deb", "libc6", "2.36-9+deb12u14")

_SPEC = """\
schema = "reprobuild.spec/1"

[model]
name = "{name}"
version = "{version}"
description = "an example"
license = "MIT"
owners = ["you@example.org"]

[stages.prepare]
run = "prepare.py"
data = [{prepared}]
outputs = ["rows.bin"]

[stages.train]
run = "train.py"
needs = ["prepare"]
data = [{trained}]
outputs = ["weights.bin"]

[artifact]
files = ["train/weights.bin"]
"""
_DATASET = """
[datasets.{name}]
path = "data/{name}.csv"
source = "a citation"
license = "CC0-1.0"
retrieved = "2026-11-20"
"""


def of_content(one: Source, content: bytes) -> Source:
    return one.model_copy(update={"sha256": Digest.of_bytes(content)})


def dataset(name: str, content: bytes) -> Source:
    return of_content(source("data", name, None), content).model_copy(
        update={"file_name": f"{name}.csv", "path": f"data/{name}.csv", "size_bytes": len(content)}
    )


@dataclass
class Records:
    """What `reprobuild nix build` left behind; `number` counts the builds."""

    folder: Path
    number: int = 0
    weights: dict[str, bytes] = field(default_factory=dict)  # artifact id → content of weights.bin

    @property
    def store(self) -> FileRecordStore:
        return FileRecordStore(self.folder / "records")

    def weights_of(self, record: BuildRecord) -> bytes:
        return self.weights[record.artifact_id or ""]

    def build(
        self,
        name: str,
        prepared: Mapping[str, bytes] = {},
        trained: Mapping[str, bytes] = {},
        *,
        version: str = "1.0.0",
        packages: Sequence[Source] = (of_content(LIBC, b"libc"), of_content(WHEEL, b"numpy")),
        commit: str | None = None,
        train_code: bytes = b"train",
        with_lock: bool = True,
        reused: bool = False,
        made: Sequence[str] = ("prepare", "train", "model"),
        **changes: Any,
    ) -> BuildRecord:
        """
        Args:
            prepared: dataset → content, of what the stage prepare reads.
            trained: the same of the stage train.
            with_lock: False: as releases wrote records before locks were kept.
            reused: nothing was built in this build.
            made: what came out of it.
        """
        self.number += 1
        text = _SPEC.format(name=name, version=version, prepared=_listed(prepared), trained=_listed(trained))
        data = {**prepared, **trained}
        text += "".join(_DATASET.format(name=one) for one in data)
        spec = parse_spec(parse_toml(text))
        sources = (*packages, *(dataset(one, content) for one, content in data.items()))
        empty: Any = dict.fromkeys(("base", "data", "python"), "0" * 64)
        lock = Lock(inputs=empty, systems={"x86_64-linux": PIN}, sources=sources).to_text().encode()
        seed = repr(
            (name, version, sorted(data.items()), [one.sha256 for one in packages], train_code)
        ).encode()
        weights = b"weights of " + seed
        files = {
            "weights.bin": Digest.of_bytes(weights),
            "source/prepare.py": Digest.of_bytes(b"prepare"),
            "source/train.py": Digest.of_bytes(train_code),
        }
        second = f"{self.number // 60 % 60:02}:{self.number % 60:02}"
        day = f"{1 + self.number // 3600:02}"

        def output(label: str) -> OutputRecord:
            whole = Digest.of_bytes(label.encode() + seed)
            file = f"{name}-{version}" if label == "model" else f"{name}-{label}"
            timed: dict[str, Any] = {"started": f"2026-11-{day}T10:{second}.000Z", "duration_s": 1.5}
            return OutputRecord(
                label=label,
                drv_path=fixed_output_path(f"{file}.drv", whole, "flat"),
                out_path=fixed_output_path(file, whole, "flat"),
                nar_hash=whole if label in made else None,
                nar_size_bytes=7 if label in made else None,
                status=("reused" if reused else "built") if label in made else "not-built",
                **(timed if label in made and not reused else {}),
            )

        facts: dict[str, Any] = {
            "model": name,
            "version": version,
            "artifact_id": artifact_id(name, version, seed) if "model" in made else None,
            "project": f"/projects/{name}",
            "spec_digest": Digest.of_bytes(text.encode()),
            "lock_digest": Digest.of_bytes(lock),
            "spec": spec.model_dump(mode="json", by_alias=True, exclude_none=True),
            "started": f"2026-11-{day}T10:{second}.000Z",
            "finished": f"2026-11-{day}T10:{second}.900Z",
            "status": "built",
            "reprobuild_version": "0.1.0",
            "host": {},
            "outputs": tuple(output(label) for label in ("prepare", "train", "model")),
            "commit": commit,
            "dirty": False if commit else None,
            "files": files if "model" in made else None,
        }
        record = BuildRecord(**{**facts, **changes})
        if record.artifact_id:
            self.weights[record.artifact_id] = weights
        if with_lock:
            self.store.keep_lock(lock)
        self.store.write(record)
        return record


def _listed(names: Mapping[str, bytes]) -> str:
    return ", ".join(f'"{one}"' for one in names)
