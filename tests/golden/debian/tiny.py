"""A whole Debian archive in a folder, small and signed: what the tests resolve against."""

from __future__ import annotations

import hashlib
import io
import lzma
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from pysequoia import SignatureMode, Tsk, sign

from reprobuild.adapters.debian.keys import Keyring

RELEASED = datetime(2026, 7, 11, 10, 16, 37, tzinfo=UTC)

# name → fields beside Package; all that a base asks for, and a virtual package
BASE_PACKAGES: dict[str, dict[str, str]] = {
    "python3": {"Version": "3.11.2-1", "Depends": "python3.11 (>= 3.11.2-1~), libpython3-stdlib"},
    "libpython3-stdlib": {"Version": "3.11.2-1"},
    "python3.11": {"Version": "3.11.2-6", "Depends": "libc6, media-types | mime-support, awk"},
    "libc6": {"Version": "2.36-9+deb12u14", "Depends": "libgcc-s1"},
    "libgcc-s1": {"Version": "12.2.0-14", "Depends": "gcc-12-base (= 12.2.0-14), libc6 (>= 2.35)"},
    "libstdc++6": {"Version": "12.2.0-14", "Depends": "libc6"},
    "libgomp1": {"Version": "12.2.0-14", "Depends": "libc6"},
    "tzdata": {"Version": "2026b-0+deb12u1", "Depends": "debconf (>= 0.5) | debconf-2.0"},
    "original-awk": {"Version": "1-1", "Provides": "awk"},
    "mawk": {"Version": "1.3.4-1", "Provides": "awk", "Depends": "libc6"},
    "busybox-static": {"Version": "1:1.35.0-4"},
    "jq": {"Version": "1.6-2", "Depends": "libjq1 (= 1.6-2)"},
    "libjq1": {"Version": "1.6-2", "Depends": "libc6"},
}


@cache
def key(name: str) -> Tsk:
    return Tsk.generate(user_id=f"{name} <{name}@example.org>")


def keyring(**suites: str) -> Keyring:
    """`keyring(bookworm="one")`: the key `one` may vouch for bookworm."""
    return Keyring({suite: (key(name).extract_certificate(),) for suite, name in suites.items()})


@dataclass
class TinyArchive:
    """Written below `root`; `url` is its address."""

    root: Path
    suite: str = "bookworm"
    signer: str = "one"
    released: datetime = RELEASED
    codename: str | None = None  # says another than the suite's folder when set
    packages: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: BASE_PACKAGES)
    release_fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.root.as_uri()

    @property
    def dists(self) -> Path:
        return self.root / "dists" / self.suite

    @property
    def index_file(self) -> Path:
        return self.dists / "main/binary-amd64/Packages.xz"

    def write(self, *, reverse: bool = False) -> TinyArchive:
        names = sorted(self.packages, reverse=reverse)
        stanzas = []
        for name in names:
            deb = tiny_deb({"bin/busybox": b"program of " + name.encode()})
            path = f"pool/main/{name[0]}/{name}/{name}_1_amd64.deb"
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_bytes(deb)
            fields = {
                "Package": name,
                **self.packages[name],
                "Architecture": "amd64",
                "Filename": path,
                "Size": str(len(deb)),
                "SHA256": hashlib.sha256(deb).hexdigest(),
            }
            stanzas.append("".join(f"{k}: {v}\n" for k, v in fields.items()))
        index = lzma.compress("\n".join(stanzas).encode())
        self.index_file.parent.mkdir(parents=True, exist_ok=True)
        self.index_file.write_bytes(index)
        (self.dists / "InRelease").write_bytes(sign_release(self.release_text(index), self.signer))
        return self

    def release_text(self, index: bytes) -> bytes:
        fields = {
            "Origin": "Debian",
            "Codename": self.codename or self.suite,
            "Date": f"{self.released:%a, %d %b %Y %H:%M:%S} UTC",
            **self.release_fields,
        }
        head = "".join(f"{k}: {v}\n" for k, v in fields.items())
        digest = hashlib.sha256(index).hexdigest()
        return f"{head}SHA256:\n {digest} {len(index)} main/binary-amd64/Packages.xz\n".encode()


def sign_release(text: bytes, signer: str) -> bytes:
    return bytes(sign(key(signer).signer(), text, mode=SignatureMode.CLEAR))


def tiny_deb(files: Mapping[str, bytes], compression: str = "xz") -> bytes:
    """An ar archive with a data.tar of these files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(f"./{path}")
            member.size = len(content)
            member.mode = 0o755
            archive.addfile(member, io.BytesIO(content))
    data = buffer.getvalue()
    packed = lzma.compress(data) if compression == "xz" else data
    return ar([("debian-binary", b"2.0\n"), ("control.tar.xz", b"odd"), (f"data.tar.{compression}", packed)])


def ar(members: Sequence[tuple[str, bytes]]) -> bytes:
    out = b"!<arch>\n"
    for name, content in members:
        out += f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode()
        out += content + b"\n" * (len(content) % 2)
    return out
