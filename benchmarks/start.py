"""How long does the command take to start?"""

from __future__ import annotations

import sys

from benchmarks.contest import interleaved, middle, ratios, timed
from benchmarks.place import Place
from benchmarks.result import Bar, Result

REPEAT = 25
LIMIT_S = 0.20


def measure(place: Place, repeat: int) -> Result:
    samples = interleaved(
        "start",
        [
            lambda: {"reprobuild": timed([place.reprobuild, "--version"])[0]},
            lambda: {"python": timed([sys.executable, "-c", "pass"])[0]},
        ],
        repeat,
    )
    return Result(
        name="start",
        question="How long does the command take to start?",
        contenders={
            "reprobuild": "`reprobuild --version`, whole process",
            "python": "`python -c pass` of the same virtual environment, whole process",
        },
        samples=samples,
        ratios={"reprobuild / python": ratios(samples, ["reprobuild"], ["python"])},
        bars=[Bar("`reprobuild --version`", LIMIT_S, middle(samples["reprobuild"]), "s")],
    )
