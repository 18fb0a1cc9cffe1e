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

    def run(self, machine: Machine) -> tuple[Finding, ...]:
        """Findings, the connection first; where there is none, nothing else."""
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
        return (connected, *findings, self._sandbox(machine))

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
