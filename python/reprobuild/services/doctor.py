"""Check whether this host can build, and say how to mend what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reprobuild.domain.finding import Finding


class DoctorService:
    def __init__(self, checks: Sequence[Callable[[], Finding]]) -> None:
        self._checks = checks

    def run(self) -> tuple[Finding, ...]:
        """All findings, in the order of the checks; a check that breaks is a finding too."""
        findings = []
        for check in self._checks:
            try:
                findings.append(check())
            except Exception as problem:
                name = check.__name__.replace("_", " ").removeprefix("check ")
                findings.append(Finding(name, "failed", f"{type(problem).__name__}: {problem}"))
        return tuple(findings)
