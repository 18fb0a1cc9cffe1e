"""Entry point. `--version` answers before anything heavy is imported."""

from __future__ import annotations

import sys


def main() -> None:
    if sys.argv[1:] in (["--version"], ["-V"]):
        from reprobuild import __version__

        sys.stdout.write(f"reprobuild {__version__}\n")
        return
    from reprobuild.cli.app import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
