"""The result of one benchmark, as it is kept in `results/NAME.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.contest import Samples, middle, ratios

SCHEMA = "reprobuild.benchmark/1"
RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Bar:
    """What we want to be held against.

    Args:
        what: in words, for the table.
        unit: `s`, or `x` for a ratio.
    """

    what: str
    limit: float
    found: float
    unit: str

    @property
    def met(self) -> bool:
        return self.found <= self.limit


@dataclass(frozen=True)
class Result:
    """
    Args:
        contenders: name -> what its time covers, exactly.
        samples: name -> seconds, in the order of the rounds.
        ratios: what is divided by what -> one value for each round.
        remarks: facts that belong to the numbers, such as sizes.
    """

    name: str
    question: str
    contenders: Mapping[str, str]
    samples: Samples
    bars: Sequence[Bar]
    ratios: Mapping[str, Sequence[float]] = field(default_factory=dict)
    remarks: Mapping[str, Any] = field(default_factory=dict)

    def document(
        self, *, date: str, machine: Mapping[str, Any], versions: Mapping[str, str]
    ) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "name": self.name,
            "question": self.question,
            "date": date,
            "machine": dict(machine),
            "versions": dict(versions),
            "repeat": len(next(iter(self.samples.values()))),
            "contenders": {
                name: {"what": what, "median_s": middle(self.samples[name]), "samples_s": self.samples[name]}
                for name, what in self.contenders.items()
            },
            "ratios": {
                name: {"median": middle(values), "samples": list(values)}
                for name, values in self.ratios.items()
            },
            "bars": [{**asdict(bar), "met": bar.met} for bar in self.bars],
            "remarks": dict(self.remarks),
        }


def ratio_bar(what: str, samples: Samples, over: Sequence[str], under: Sequence[str], limit: float) -> Bar:
    return Bar(what, limit, middle(ratios(samples, over, under)), "x")


def write(document: Mapping[str, Any], file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def read_all(folder: Path = RESULTS) -> dict[str, dict[str, Any]]:
    """Benchmark name -> document, of those that have been measured."""
    found = {
        file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.json"))
    }
    for name, document in found.items():
        if document.get("schema") != SCHEMA or document.get("name") != name:
            raise ValueError(f"{folder / name}.json is not a result of {name} in the format {SCHEMA}")
    return found
