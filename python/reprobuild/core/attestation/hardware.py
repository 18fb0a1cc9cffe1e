"""On what was it computed: attributes that stages measured of their machines.

Source: in-toto attestation framework, predicate SCAI v0.3.
"""

from __future__ import annotations

from reprobuild.core.attestation.provenance import record_file, stage_output
from reprobuild.domain.attestation import AttributeAssertion, AttributeReport
from reprobuild.domain.digest import Digest
from reprobuild.domain.record import BuildRecord


def attribute_report(record: BuildRecord, record_digest: Digest) -> AttributeReport | None:
    """None where the build that was recorded ran no stage."""
    evidence = record_file(record_digest)
    found = []
    for output in record.outputs:
        measured = {"HOST": output.host, "HARDWARE": output.hardware, "NUMERICS": output.numerics}
        found += [
            AttributeAssertion(
                attribute=name, target=stage_output(output), conditions=conditions, evidence=evidence
            )
            for name, conditions in measured.items()
            if conditions is not None
        ]
    return AttributeReport(attributes=tuple(found)) if found else None
