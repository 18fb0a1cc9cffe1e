"""Where each stage ran, as it was measured there, and what it took."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from reprobuild.cli.page.elements import paragraph, table
from reprobuild.cli.render import size
from reprobuild.domain.record import OutputRecord
from reprobuild.domain.spec import Spec


def machine_parts(spec: Spec, runs: Sequence[OutputRecord]) -> Iterator[str]:
    stages = [run for run in runs if run.label in spec.stages]
    if not stages:
        yield paragraph(
            "No build record of this artifact is at hand, so nothing is known of its machines.", "open answer"
        )
        return
    yield table(
        "Machines",
        ("stage", "processor and GPU", "computed with", "time", "processor time", "memory"),
        (
            [
                escape(run.label),
                escape(_machine(run)),
                escape(_numerics(run.numerics or {})),
                _seconds(run.duration_s),
                _seconds(run.cpu_s),
                size(run.peak_memory_bytes) if run.peak_memory_bytes is not None else "not known",
            ]
            for run in stages
        ),
    )
    yield paragraph(
        "Measured inside each build. Nix pins none of it: it is recorded, not guaranteed.", "faint"
    )


def _machine(run: OutputRecord) -> str:
    if run.status != "built":
        return "reused; no record here says where it was built"
    host, hardware = run.host or {}, run.hardware or {}
    words = [
        _text(host, "cpu_model", "cpu"),
        _text(host, "kernel"),
        f"on {run.builder}" if run.builder else "",
    ]
    words += [str(gpu.get("name")) for gpu in hardware.get("gpus") or () if isinstance(gpu, dict)]
    if version := (hardware.get("driver") or {}).get("version"):
        words.append(f"driver {version}")
    return ", ".join(filter(None, words)) or "not measured"


def _text(facts: dict[str, Any], *keys: str) -> str:
    return next((str(facts[key]) for key in keys if facts.get(key)), "")


def _numerics(facts: dict[str, Any]) -> str:
    words = [
        f"torch {facts['torch']}" if facts.get("torch") else "",
        f"{facts['cpu_capability']} kernels" if facts.get("cpu_capability") else "",
        f"{facts['threads']} threads" if facts.get("threads") else "",
    ]
    return ", ".join(filter(None, words)) or "not said"


def _seconds(seconds: float | None) -> str:
    return "not known" if seconds is None else f"{seconds:.1f} s"
