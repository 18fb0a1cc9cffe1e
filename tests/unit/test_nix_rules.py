"""What the Nix library reads as data has not drifted from the Python classes (its defaults: test_schema.py).
The rules themselves are compared in tests/integration/test_nix_library.py, with Nix."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

NIX = Path(__file__).resolve().parents[2] / "nix"


def test_keys_of_the_spec() -> None:
    """Refresh: `python nix/tests/spec_keys.py > nix/lib/spec-keys.json`."""
    found = importlib.util.spec_from_file_location("spec_keys", NIX / "tests/spec_keys.py")
    assert found is not None and found.loader is not None
    generator = importlib.util.module_from_spec(found)
    found.loader.exec_module(generator)
    assert json.loads((NIX / "lib/spec-keys.json").read_text()) == generator.spec_keys()
