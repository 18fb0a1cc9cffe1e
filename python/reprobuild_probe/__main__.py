"""`python -m reprobuild_probe`: the hardware profile as one JSON document on stdout."""

from __future__ import annotations

import json
import sys

from reprobuild_probe.profile import measure


def main() -> int:
    if len(sys.argv) > 1:
        print("usage: python -m reprobuild_probe  (takes no arguments)", file=sys.stderr)
        return 2
    print(json.dumps(measure(), indent=2, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
