"""`python -m reprobuild_handshake stage`: the builder of a stage with `gpu = true`."""

from __future__ import annotations

import sys

from reprobuild_handshake.run_stage import main as run
from reprobuild_worker.errors import WorkerError, print_error


def main(arguments: list[str]) -> int:
    """Run the stage; return the exit status (0 done, 1 failed, 2 called wrongly)."""
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    if arguments != ["stage"]:
        print("usage: python -m reprobuild_handshake stage", file=sys.stderr)
        return 2
    try:
        return run()
    except WorkerError as error:
        print_error(error)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
