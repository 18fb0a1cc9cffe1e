"""`python -m reprobuild_worker stage|model`: the builder of the stage and model derivations."""

from __future__ import annotations

import sys

from reprobuild_worker.errors import WorkerError, print_error


def main(arguments: list[str]) -> int:
    """Run one duty; return the exit status (0 done, 1 failed, 2 called wrongly)."""
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    try:
        match arguments:
            case ["stage"]:
                from reprobuild_worker.run_stage import main as run
            case ["model"]:
                from reprobuild_worker.run_model import main as run
            case _:
                print("usage: python -m reprobuild_worker stage|model", file=sys.stderr)
                return 2
        return run()
    except WorkerError as error:
        print_error(error)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
