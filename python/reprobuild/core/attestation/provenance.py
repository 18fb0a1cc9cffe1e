"""How was it built: SLSA provenance, version 1.

Source: slsa.dev/spec/v1.0/provenance.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from reprobuild.core.attestation.closure import Outside
from reprobuild.core.sbom.purl import package_url
from reprobuild.domain.attestation import (
    NAR,
    BuildDefinition,
    Builder,
    BuildMetadata,
    ExternalParameters,
    InternalParameters,
    Provenance,
    Resource,
    RunDetails,
)
from reprobuild.domain.digest import Digest
from reprobuild.domain.drv import FixedHash
from reprobuild.domain.lock import LOCK_FILE, Source
from reprobuild.domain.record import BuildRecord, OutputRecord


def provenance(
    record: BuildRecord,
    record_digest: Digest,
    *,
    spec: dict[str, Any],
    lock_digest: Digest,
    taken_in: Outside,
    pins: Iterable[Source],
    source_digests: Mapping[str, Digest],
) -> Provenance:
    """
    Args:
        spec: the artifact's `spec.json`.
        pins: of the artifact's lock; they say what the fixed outputs are.
        source_digests: source's store path → digest of its NAR.
    """
    pinned = {pin.store_path: pin for pin in pins}
    fixed = [_fixed(path, known, pinned.get(path)) for path, known in taken_in.fixed.items()]
    sources = [_source(path, source_digests[path]) for path in taken_in.sources]
    return Provenance(
        build_definition=BuildDefinition(
            external_parameters=ExternalParameters(
                spec=spec,
                overrides=record.overrides,
                lock=Resource(name=LOCK_FILE, digest={"sha256": lock_digest.hex}),
            ),
            internal_parameters=InternalParameters(
                derivations={one.label: one.drv_path for one in record.outputs},
                commit=record.commit,
                dirty=record.dirty,
            ),
            resolved_dependencies=tuple(fixed + sources),
        ),
        run_details=RunDetails(
            builder=Builder(
                version={"reprobuild": record.reprobuild_version}, builder_dependencies=_nix(record)
            ),
            metadata=BuildMetadata(
                invocation_id=f"urn:sha256:{record_digest.hex}",
                started_on=record.started,
                finished_on=record.finished,
            ),
            byproducts=(
                record_file(record_digest),
                *(one for output in record.outputs for one in _byproducts(output)),
            ),
        ),
    )


def _nix(record: BuildRecord) -> tuple[Resource, ...]:
    version = record.host.get("nix_version")
    return (Resource(name="nix", uri=f"pkg:generic/nix@{version}"),) if version else ()


def record_file(digest: Digest) -> Resource:
    return Resource(name="build record", digest={"sha256": digest.hex}, media_type="application/json")


def stage_output(output: OutputRecord) -> Resource:
    """What a stage left in the store."""
    return Resource(
        name=f"output of {output.label}",
        digest={"sha256": output.nar_hash.hex} if output.nar_hash else None,
        media_type=NAR,
        annotations={"storePath": output.out_path},
    )


def _byproducts(output: OutputRecord) -> list[Resource]:
    made = [stage_output(output)] if output.nar_hash and output.label != "model" else []
    if output.log_digest:
        log = Resource(
            name=f"log of {output.label}", digest={"sha256": output.log_digest}, media_type="text/plain"
        )
        made.append(log)
    return made


def _fixed(path: str, known: FixedHash, pin: Source | None) -> Resource:
    """A fixed output; what the lock pins says what it is, anything else is named by its store path alone."""
    annotations: dict[str, Any] = {"storePath": path}
    media_type = NAR if known.recursive else None
    digest = {known.algorithm: known.hex}
    if pin is None:
        return Resource(name=_name(path), digest=digest, media_type=media_type, annotations=annotations)
    annotations |= {"kind": pin.kind, "fileName": pin.file_name}
    if pin.index is not None:
        annotations["index"] = pin.index
    uri = package_url(pin)
    if pin.deb_sha256 is not None:  # not the package itself, but what was taken out of it
        annotations["takenFrom"] = {"uri": uri, "digest": {"sha256": pin.deb_sha256.hex}}
        uri = None
    return Resource(name=pin.subject, uri=uri, digest=digest, media_type=media_type, annotations=annotations)


def _source(path: str, digest: Digest) -> Resource:
    return Resource(
        name=_name(path),
        digest={"sha256": digest.hex},
        media_type=NAR,
        annotations={"storePath": path, "kind": "source"},
    )


def _name(path: str) -> str:
    return path.rpartition("/")[2].partition("-")[2]
