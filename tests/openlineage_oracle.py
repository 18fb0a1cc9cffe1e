"""Is an event what OpenLineage's own client would send? Each object is put into the class that its project generates
from the specification: a key that it does not have, a missing one, or another value when written again is a failure."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlparse

from openlineage.client import event_v2, facet_v2
from openlineage.client.serde import Serde

_FACETS: Final[Mapping[str, Any]] = {
    "jobType": facet_v2.job_type_job.JobTypeJobFacet,
    "sourceCodeLocation": facet_v2.source_code_location_job.SourceCodeLocationJobFacet,
    "version": facet_v2.dataset_version_dataset.DatasetVersionDatasetFacet,
}


def check_event(event: Mapping[str, Any]) -> None:
    fields = dict(event)
    job = event_v2.Job(**{**fields.pop("job"), "facets": _facets(event["job"].get("facets", {}))})
    inputs = [_dataset(event_v2.InputDataset, one) for one in fields.pop("inputs")]
    outputs = [_dataset(event_v2.OutputDataset, one) for one in fields.pop("outputs")]
    schema = fields.pop("schemaURL")
    made: Any
    if "run" in event:
        run = event_v2.Run(**{**fields.pop("run"), "facets": _facets(event["run"].get("facets", {}))})
        kind = event_v2.RunState(fields.pop("eventType"))
        made = event_v2.RunEvent(**fields, eventType=kind, run=run, job=job, inputs=inputs, outputs=outputs)
    else:
        made = event_v2.JobEvent(**fields, job=job, inputs=inputs, outputs=outputs)
    assert schema == made.schemaURL
    written = Serde.to_dict(made)
    assert _without_empty(written) == _without_empty(dict(event))
    assert datetime.datetime.fromisoformat(event["eventTime"]).tzinfo is not None
    assert urlparse(event["producer"]).scheme


def _dataset(kind: Any, document: Mapping[str, Any]) -> Any:
    return kind(**{**document, "facets": _facets(document.get("facets", {}))})


def _facets(documents: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Standard facets as their classes, custom ones (`reprobuild_…`) as the specification's rule for them demands."""
    found: dict[str, Any] = {}
    for name, document in documents.items():
        fields = dict(document)
        schema = fields.pop("_schemaURL")
        assert urlparse(schema).scheme and urlparse(document["_producer"]).scheme
        if name.startswith("reprobuild_"):
            found[name] = dict(document)
            continue
        made = _FACETS[name](producer=fields.pop("_producer"), **fields)
        assert schema == made._schemaURL
        found[name] = made
    return found


def _without_empty(value: Any) -> Any:
    """The client leaves out what is null and writes empty facets; both say nothing."""
    if isinstance(value, dict):
        inner = {key: _without_empty(one) for key, one in value.items()}
        return {key: one for key, one in inner.items() if one not in (None, {}, [])}
    return [_without_empty(one) for one in value] if isinstance(value, list) else value
