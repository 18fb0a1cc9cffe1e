"""Entry point. `--version` answers before anything heavy is imported."""

from __future__ import annotations

import os
import sys


def main() -> None:
    if sys.argv[1:] in (["--version"], ["-V"]):
        from reprobuild import __version__

        sys.stdout.write(f"reprobuild {__version__}\n")
        return
    # No plugin of the environment checks our values, and none is looked for: that reads every package's metadata.
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"
    from reprobuild.cli.app import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
