"""The table of docs/performance.md, written from the kept results."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.result import read_all

PAGE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
BEGIN = "<!-- begin: written by benchmarks/run --table -->"
END = "<!-- end -->"
NOT_MEASURED = "Nothing has been measured yet: run `benchmarks/run`."


def table(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Bars, then all times, then on what they were measured. Depends on the results only."""
    if not results:
        return NOT_MEASURED
    documents = [results[name] for name in sorted(results)]
    lines = ["| bar | at most | found | |", "|---|---:|---:|---|"]
    for document in documents:
        for bar in document["bars"]:
            verdict = "met" if bar["met"] else "**missed**"
            lines.append(
                f"| {bar['what']} | {_value(bar['limit'], bar)} | {_value(bar['found'], bar)} | {verdict} |"
            )
    lines += [
        "",
        "| benchmark | contender | median | fastest | slowest | rounds |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for document in documents:
        for name, contender in document["contenders"].items():
            samples = contender["samples_s"]
            times = " | ".join(
                _seconds(value) for value in (contender["median_s"], min(samples), max(samples))
            )
            lines.append(f"| {document['name']} | {name} | {times} | {document['repeat']} |")
    lines += [
        "",
        "| benchmark | ratio, round by round | median | lowest | highest |",
        "|---|---|---:|---:|---:|",
    ]
    for document in documents:
        for name, ratio in document["ratios"].items():
            values = " | ".join(
                f"{value:.3f}" for value in (ratio["median"], min(ratio["samples"]), max(ratio["samples"]))
            )
            lines.append(f"| {document['name']} | {name} | {values} |")
    return "\n".join([*lines, "", *_measured_on(documents)])


def with_table(page: str, results: Mapping[str, Mapping[str, Any]]) -> str:
    """The page with the part between its markers replaced.

    Raises:
        ValueError: the page has no markers.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no {BEGIN} and {END} in the page")
    return f"{before}{BEGIN}\n\n{table(results)}\n\n{END}{after}"


def update_page(page: Path = PAGE) -> None:
    page.write_text(with_table(page.read_text(encoding="utf-8"), read_all()), encoding="utf-8")


def _measured_on(documents: list[Mapping[str, Any]]) -> list[str]:
    """One line for each machine, software and day; usually one in all."""
    groups: dict[str, list[str]] = {}
    for document in documents:
        machine, versions = document["machine"], document["versions"]
        text = (
            f"{machine['cpu_model']}, {machine['cores']} cores"
            f"{'' if machine['sha_instructions'] else ' without SHA instructions'}, {machine['memory_gib']} GiB, "
            f"{machine['file_system']}, {machine['distribution']}, Linux {machine['kernel']}; Nix {versions['nix']}, "
            f"uv {versions['uv']}, Python {versions['python']}; reprobuild {versions['reprobuild']} "
            f"({versions['commit']}); {document['date'][:10]}"
        )
        groups.setdefault(text, []).append(f"{document['name']} ({machine['others']:.0%})")
    return [
        f"Measured on {text}: {', '.join(names)}. In brackets: the share of all cores that other programs used meanwhile."
        for text, names in groups.items()
    ]


def _value(value: float, bar: Mapping[str, Any]) -> str:
    return f"{value:.2f} s" if bar["unit"] == "s" else f"{value:.3f}"


def _seconds(value: float) -> str:
    return f"{value:.3f} s" if value < 10 else f"{value:.1f} s"
