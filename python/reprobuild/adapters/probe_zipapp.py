"""The probe as one file, for machines that have Python and nothing of ours."""

from __future__ import annotations

import importlib.util
import io
import zipfile
from pathlib import Path

# As `ssh HOST REMOTE_COMMAND` with the file on standard input: it is run from a temporary file, which is removed.
REMOTE_COMMAND = 'f=$(mktemp) && cat >"$f" && python3 "$f"; s=$?; rm -f "$f"; exit $s'

_MAIN = b"import sys\n\nfrom reprobuild_probe.__main__ import main\n\nsys.exit(main())\n"
_OLDEST = (1980, 1, 1, 0, 0, 0)


def probe_zipapp() -> bytes:
    """A zip file that `python3 FILE` runs: the probe, `pynvml`, and a start. The same bytes every time."""
    package = _folder("reprobuild_probe")
    files = {f"reprobuild_probe/{file.name}": file.read_bytes() for file in package.glob("*.py")}
    files["pynvml.py"] = (_folder("pynvml") / "pynvml.py").read_bytes()
    files["__main__.py"] = _MAIN
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, _OLDEST), files[name], zipfile.ZIP_DEFLATED)
    return made.getvalue()


def _folder(module: str) -> Path:
    """Where a module lies, found without importing it."""
    found = importlib.util.find_spec(module)
    assert found is not None and found.origin is not None, f"{module} is a dependency of this package"
    return Path(found.origin).parent
