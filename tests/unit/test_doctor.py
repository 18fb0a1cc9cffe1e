"""The doctor runs all checks, even when one of them breaks."""

from __future__ import annotations

from reprobuild.domain.finding import Finding
from reprobuild.services.doctor import DoctorService


def check_nix() -> Finding:
    return Finding("nix", "ok", "version 2.8.0")


def check_user_namespaces() -> Finding:
    raise RuntimeError("no /proc")


def test_findings_come_in_the_order_of_the_checks() -> None:
    findings = DoctorService([check_user_namespaces, check_nix]).run()
    assert [finding.name for finding in findings] == ["user namespaces", "nix"]


def test_a_check_that_breaks_is_a_finding() -> None:
    (finding,) = DoctorService([check_user_namespaces]).run()
    assert (finding.state, finding.found) == ("failed", "RuntimeError: no /proc")
