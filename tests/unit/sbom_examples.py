"""A bill of materials with a part of every kind."""

from __future__ import annotations

from reprobuild.core.sbom.bill import Bill, Built, bill_of
from reprobuild.core.sbom.licences import Licence, of_debian, stated, unknown
from reprobuild.core.spec_parse import parse_spec, parse_toml
from reprobuild.domain.digest import Digest
from reprobuild.domain.lock import DebianBasePin, Kind, Source

from .spec_examples import SPEC

DIGEST = Digest.of_bytes(b"")
TORCH_SPEC = parse_spec(
    parse_toml(
        SPEC.replace(
            'retrieved = "2026-11-20"',
            'retrieved = "2026-11-20"\nowner = "Data team <data@example.org>"\ndescription = "rows"',
        )
        + '\n[python]\nrequirements = ["torch==2.13.0"]\n'
        + '\n[model.inputs.image]\ndtype = "float32"\nshape = ["batch", 64]\n'
    )
)
PIN = DebianBasePin(
    suite="bookworm",
    snapshot="20261101T101112Z",
    release_sha256=DIGEST,
    python_version="3.11",
    glibc_version="2.36",
)


def source(
    kind: Kind, name: str, version: str | None = "1", *, depends: tuple[str, ...] = (), built_from: str = ""
) -> Source:
    """
    Args:
        built_from: source package of a Debian package, by default its own name.
    """
    debian = kind in ("compiler", "deb", "seed")
    file_name = f"{name}_{version}_amd64.deb" if debian else f"{name}-{version}-py3-none-any.whl"
    return Source(
        kind=kind,
        name=name,
        version=version,
        system=None if kind == "data" else "x86_64-linux",
        file_name=file_name,
        sha256=DIGEST,
        size_bytes=1,
        depends=depends,
        suite="bookworm" if debian else None,
        pool_path=f"pool/main/x/{built_from or name}/{file_name}" if debian else None,
        path="rows.csv" if kind == "data" else None,
    )


SOURCES = (
    source("data", "rows", None),
    source("deb", "libc6", "2.36-9+deb12u14", built_from="glibc"),
    source("deb", "libbz2-1.0", "1.0.8-5+b1", built_from="bzip2"),
    source("tool", "installer", "1.1.0"),
    source("wheel", "mpmath", "1.3.0"),
    source("wheel", "nvidia-cuda-nvrtc", "13.0.1"),
    source("wheel", "torch", "2.13.0+cpu", depends=("mpmath", "nvidia-cuda-nvrtc")),
)
LICENCES: dict[str, Licence] = {
    "deb libc6 2.36-9+deb12u14": unknown("its copyright file is not machine-readable"),
    "deb libbz2-1.0 1.0.8-5+b1": of_debian(
        "Format: https://example.org/1.0/\n\nFiles: *\nLicense: BSD-variant\n\nFiles: debian/*\nLicense: GPL-2+\n"
    ),
    "wheel mpmath 1.3.0": stated("BSD License"),
    "wheel nvidia-cuda-nvrtc 13.0.1": stated("NVIDIA CUDA Toolkit End User License Agreement"),
    "wheel torch 2.13.0+cpu": stated("BSD-3-Clause AND MIT"),
}
BUILT = Built("digits-1.0.0-abc", DIGEST, {"accuracy": 0.975}, {"weights.safetensors": DIGEST})


def bill(built: Built | None = BUILT, sources: tuple[Source, ...] = SOURCES) -> Bill:
    return bill_of(TORCH_SPEC, PIN, sources, LICENCES, built)
