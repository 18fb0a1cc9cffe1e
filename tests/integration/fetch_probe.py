"""Fetch the sources of a JSON file with the real adapters; runs inside a test's own store.

Call: fetch_probe.py SOURCES.json PROJECT CACHE_DIR [--offline] [BINARY_CACHE…]; prints the report as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.fakes import FakeProgress

from reprobuild.adapters.http import HttpxClient
from reprobuild.adapters.nix.store import NixStore
from reprobuild.adapters.uv import Uv
from reprobuild.domain.lock import Source
from reprobuild.errors import ReprobuildError
from reprobuild.services.fetch import FetchService


def main(sources_file: str, project: str, cache: str, *rest: str) -> int:
    sources = [
        Source.model_validate_json(json.dumps(row)) for row in json.loads(Path(sources_file).read_text())
    ]
    http = HttpxClient()
    service = FetchService(
        store=NixStore(),
        http=http,
        locator=Uv(http=http, cache_dir=Path(cache)),
        debian_addresses=lambda _: (),
        unpack_seed=lambda _deb, folder: folder,
        progress=FakeProgress(),
        cache_dir=Path(cache),
    )
    caches = [word for word in rest if word != "--offline"]
    try:
        report = service.run(sources, Path(project), offline="--offline" in rest, caches=caches)
    except ReprobuildError as error:
        json.dump(error.document(), sys.stdout)
        return error.exit_status
    origins = {one.source.name: one.origin for one in report.fetched}
    json.dump({"fetched": origins, "reused": [source.name for source in report.reused]}, sys.stdout)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
