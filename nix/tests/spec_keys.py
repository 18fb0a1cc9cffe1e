"""Print the keys that the spec format has, for nix/lib/spec-keys.json; a test says so when that file drifts.

Refresh: python nix/tests/spec_keys.py > nix/lib/spec-keys.json
"""

from __future__ import annotations

import json
import sys
from typing import Any

from reprobuild.core.spec_keys import known_keys

# Sections whose keys are names that people choose.
NAMED = {("datasets",), ("stages",), ("metrics",), ("model", "inputs"), ("model", "outputs")}


def spec_keys(at: tuple[str, ...] = ()) -> Any:
    """Key -> keys below it; "*" stands for any name, true for any value."""
    if at in NAMED:
        return {"*": spec_keys((*at, "*"))}
    keys = known_keys(at)
    return {key: spec_keys((*at, key)) for key in sorted(keys)} if keys else True


if __name__ == "__main__":
    sys.stdout.write(json.dumps(spec_keys(), indent=2) + "\n")
