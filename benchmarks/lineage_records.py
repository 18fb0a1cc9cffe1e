"""What does `reprobuild lineage` cost over many build records? Writes records of models that were never built, and asks.

    .venv/bin/python -m benchmarks.lineage_records --records 10000

Each model has 60 wheels, 60 packages, one of 200 data files and two stages. Prints processor seconds and memory of whole processes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.unit.lineage_examples import Records, of_content
from tests.unit.sbom_examples import source

PACKAGES = [
    of_content(source(kind, f"{kind}-{number}"), f"{kind} {number}".encode())
    for kind in ("wheel", "deb")
    for number in range(60)
]
SHARDS = 200
COMMIT = f"{7:040x}"
QUESTIONS = {
    "a commit, in one build": [COMMIT, "--down"],
    "a shard, in one build of 200": ["shard.csv", "--withdrawn"],
    "a wheel, in all builds": ["wheel-7", "--withdrawn"],
    "without a name, all of it": [],
    "what one model is made of": ["model m7 1.0.7", "--up"],
}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=10_000, metavar="N")
    count = parser.parse_args().records
    with tempfile.TemporaryDirectory(prefix="reprobuild-lineage-") as folder:
        work = Path(folder)
        records = Records(work / "reprobuild")
        for number in range(count):
            records.build(
                f"m{number % 50}",
                {"rows": f"shard {number % SHARDS}".encode()},
                version=f"1.0.{number}",
                packages=PACKAGES,
                commit=f"{number:040x}",
            )
        (work / "shard.csv").write_text("shard 7")
        for question, arguments in QUESTIONS.items():
            seconds, memory_mib, lines = asked(arguments, work)
            print(f"{count} records, {question}: {seconds:.1f} s, {memory_mib} MiB, {lines} lines")
    return 0


def asked(arguments: list[str], work: Path) -> tuple[float, int, int]:
    """Processor seconds (user and system), highest resident memory, and how many lines were printed."""
    environment = {**os.environ, "XDG_STATE_HOME": str(work), "XDG_CACHE_HOME": str(work / "cache")}
    command = [sys.executable, "-m", "reprobuild", "lineage", *arguments]
    with (work / "answer").open("w+") as answer:
        process = subprocess.Popen(command, cwd=work, env=environment, stdout=answer)
        _, _, usage = os.wait4(process.pid, 0)
        answer.seek(0)
        lines = answer.read().count("\n")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss // 1024, lines


if __name__ == "__main__":
    sys.exit(main())
