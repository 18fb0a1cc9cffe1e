"""A build as OpenLineage events, one run for each stage and for the model.

Source: OpenLineage's specification, 2-0-2. What we put in: docs/formats/lineage.md.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from reprobuild import __version__
from reprobuild.core.composition import by_kind
from reprobuild.core.lineage import Build
from reprobuild.domain.lineage import Part
from reprobuild.domain.record import BuildRecord, OutputRecord

_PRODUCER: Final = f"urn:reprobuild:{__version__}"
_SPEC: Final = "https://openlineage.io/spec"
_ENDS: Final = {"built": "COMPLETE", "failed": "FAIL", "stopped": "ABORT"}


def build_events(build: Build, record: BuildRecord, records: Sequence[BuildRecord]) -> list[dict[str, Any]]:
    """Events of a build, oldest first: of each run START, and COMPLETE, FAIL or ABORT.

    What was reused has the events of the run that made it. Where none is known, one event tells of the job alone.

    Args:
        record: of this build.
        records: all known ones, oldest first.
    """
    events: list[dict[str, Any]] = []
    for output in record.outputs:
        runs = (_run_of(output, other) for other in (record, *reversed(records)))
        run = next((found for found in runs if found is not None), None)
        if run is not None:
            events += _run_events(build, *run)
        elif output.nar_hash is not None:
            events.append(_event("JobEvent", record.finished, build, output.label))
    return sorted(events, key=lambda event: str(event["eventTime"]))


def _run_of(output: OutputRecord, record: BuildRecord) -> tuple[BuildRecord, OutputRecord] | None:
    """The run in this record that made the output."""
    for other in record.outputs:
        same = (other.drv_path, other.nar_hash) == (output.drv_path, output.nar_hash)
        if same and other.started is not None and other.duration_s is not None and other.status in _ENDS:
            return record, other
    return None


def _run_events(build: Build, record: BuildRecord, output: OutputRecord) -> list[dict[str, Any]]:
    started = datetime.datetime.fromisoformat(output.started or "")
    ended = started + datetime.timedelta(seconds=output.duration_s or 0)
    facts = {
        "drvPath": output.drv_path,
        "builder": output.builder,
        "logDigest": output.log_digest,
        "cpuSeconds": output.cpu_s,
        "peakMemoryBytes": output.peak_memory_bytes,
        "reprobuildVersion": record.reprobuild_version,
        "dirty": record.dirty,
    }
    # the same run has the same id in every export
    run_id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{output.drv_path} {output.started}"))
    facets = {"reprobuild_run": _facet("run", _known(facts))}
    software = _facet("software", {"parts": [_software(part) for part in _below(build, output.label)]})
    return [
        {
            **_event("RunEvent", _utc(started), build, output.label, made=False),
            "eventType": "START",
            "run": {"runId": run_id, "facets": {**facets, "reprobuild_software": software}},
        },
        {
            **_event("RunEvent", _utc(ended), build, output.label, made=output.nar_hash is not None),
            "eventType": _ENDS[output.status],
            "run": {"runId": run_id, "facets": facets},
        },
    ]


def _event(kind: str, time: str, build: Build, label: str, *, made: bool = True) -> dict[str, Any]:
    """
    Args:
        made: there is an output.
    """
    composition = build.composition
    node = composition.graph.root if label == "model" else f"stage {label}"
    needs = build.parts(dict.fromkeys(composition.graph.edges[node]))
    return {
        "eventTime": time,
        "producer": _PRODUCER,
        "schemaURL": f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/{kind}",
        "job": {
            "namespace": "reprobuild",
            "name": f"{composition.parts[composition.graph.root].name}.{label}",
            "facets": _job_facets(needs, label) | _commit_facets(build),
        },
        "inputs": [_dataset(part) for part in needs if part.kind in ("data", "stage")],
        "outputs": [_dataset(composition.parts[node])] if made else [],
    }


def _job_facets(needs: Sequence[Part], label: str) -> dict[str, Any]:
    kind = "MODEL" if label == "model" else "STAGE"
    code = [{"path": part.name, "sha256": part.sha256} for part in needs if part.kind == "code"]
    facets = {
        "jobType": {
            **_standard("2-0-4", "JobTypeJobFacet"),
            "processingType": "BATCH",
            "integration": "REPROBUILD",
            "jobType": kind,
        }
    }
    return facets | ({"reprobuild_code": _facet("code", {"files": code})} if code else {})


def _commit_facets(build: Build) -> dict[str, Any]:
    """The commit by its SWHID (ISO/IEC 18670): a URI that needs no address, and names no server."""
    commit = build.record.commit if build.record else None
    if commit is None or len(commit) != 40:  # SWHIDs are of SHA-1 repositories
        return {}
    location = {"type": "git", "url": f"swh:1:rev:{commit}", "version": commit}
    return {"sourceCodeLocation": {**_standard("1-1-0", "SourceCodeLocationJobFacet"), **location}}


def _dataset(part: Part) -> dict[str, Any]:
    """A store path, which never changes: the content is its version."""
    digest = part.nar_hash or part.sha256
    content = {
        "kind": part.kind,
        "name": part.name,
        "sha256": part.sha256,
        "narHash": part.nar_hash,
        "sizeBytes": part.size_bytes,
        "artifactId": part.artifact_id,
    }
    facets = {"reprobuild_content": _facet("content", _known(content))}
    if digest is not None:
        facets["version"] = {**_standard("1-0-1", "DatasetVersionDatasetFacet"), "datasetVersion": digest}
    return {"namespace": "file", "name": part.store_path or part.node, "facets": facets}


def _below(build: Build, label: str) -> list[Part]:
    """All packages that a stage, or the model, was built with."""
    node = build.composition.graph.root if label == "model" else f"stage {label}"
    parts = build.parts(build.composition.needed_by(node))
    return [part for part in by_kind(parts) if part.kind in ("wheel", "deb", "tool", "compiler", "seed")]


def _software(part: Part) -> dict[str, Any]:
    return {"kind": part.kind, "name": part.name, "version": part.version, "sha256": part.sha256}


def _known(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value is not None}


def _facet(name: str, fields: dict[str, Any]) -> dict[str, Any]:
    return {"_producer": _PRODUCER, "_schemaURL": f"urn:reprobuild:openlineage:{name}:1", **fields}


def _standard(version: str, name: str) -> dict[str, Any]:
    return {"_producer": _PRODUCER, "_schemaURL": f"{_SPEC}/facets/{version}/{name}.json#/$defs/{name}"}


def _utc(moment: datetime.datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
