"""Is a builder what its line claims? Connect, ask, measure, and try its sandbox."""

from __future__ import annotations

from reprobuild.core.builder_findings import builder_findings
from reprobuild.core.ssh_failure import no_nix
from reprobuild.domain.finding import Finding
from reprobuild.domain.machine import Machine
from reprobuild.errors import ReprobuildError
from reprobuild.ports import BuilderAccess


class BuilderCheckService:
    def __init__(self, access: BuilderAccess) -> None:
        self._access = access

    def run(self, machine: Machine, minimum_mbit_per_s: float | None = None) -> tuple[Finding, ...]:
        """Findings, the connection first; where there is none, nothing else.

        Args:
            minimum_mbit_per_s: the way to it must carry this much, 10^6 bits a second; None: not measured.
        """
        try:
            facts = self._access.facts(machine)
            if facts.nix_version is None:
                raise no_nix(machine.name)
        except ReprobuildError as problem:
            return (_failed("connection", problem),)
        connected = Finding("connection", "ok", f"as {facts.user}, by {machine.uri.partition('://')[0]}")
        try:
            measured = self._access.profile(machine).features if facts.has_python else None
        except ReprobuildError as problem:
            return (connected, _failed("hardware", problem))
        findings = tuple(builder_findings(machine, facts, measured))
        if any(finding.name in ("nix", "store") and finding.state == "failed" for finding in findings):
            return (connected, *findings)
        link = () if minimum_mbit_per_s is None else (self._link(machine, minimum_mbit_per_s),)
        return (connected, *findings, *link, self._sandbox(machine))

    def _link(self, machine: Machine, minimum_mbit_per_s: float) -> Finding:
        try:
            measured = self._access.upload_rate(machine) * 8 / 1e6
        except ReprobuildError as error:
            return _failed("link", error)
        if measured < minimum_mbit_per_s:
            return Finding(
                "link",
                "failed",
                f"{measured:.1f} Mbit/s from here to there, less than {minimum_mbit_per_s:g}",
                "use a builder that is nearer, or let it fetch sources itself: `substituters` in its nix.conf",
            )
        return Finding("link", "ok", f"{measured:.0f} Mbit/s from here to there")

    def _sandbox(self, machine: Machine) -> Finding:
        try:
            problem = self._access.sandbox_problem(machine)
        except ReprobuildError as error:
            return _failed("sandbox", error)
        if problem is None:
            return Finding("sandbox", "ok", "a build there sees no network and no host files")
        return Finding(
            "sandbox",
            "failed",
            problem,
            "there: `sandbox = true`, `sandbox-fallback = false` in its nix.conf",
        )


def _failed(name: str, problem: ReprobuildError) -> Finding:
    found = problem.message.removeprefix("builder ").partition(": ")[2] or problem.message
    details = "; ".join(line.strip() for line in problem.details)
    return Finding(name, "failed", f"{found} ({details})" if details else found, problem.hint)
