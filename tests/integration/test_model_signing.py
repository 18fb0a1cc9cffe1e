"""Bundles of OpenSSF Model Signing, against the OpenSSF's own tool in an environment of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP384R1,
    SECP521R1,
    EllipticCurve,
    generate_private_key,
)
from tests.integration.conftest import REPOSITORY
from tests.unit.signing_examples import KEYS, SignedArtifact, pem

from reprobuild_verify.public_key import PublicKey

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The tool as requirements/model-signing.txt pins it; it brings packages that nothing else here needs."""
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if uv is None:
        pytest.skip("uv is not installed")
    folder = tmp_path_factory.mktemp("model-signing")
    python = folder / "bin/python"
    install = ["pip", "install", "--quiet", "--python", str(python), "--require-hashes", "-r"]
    for command in (
        [uv, "venv", "--quiet", "--python", sys.executable, "--clear", str(folder)],
        [uv, *install, str(REPOSITORY / "requirements/model-signing.txt")],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"model-signing cannot be had: {done.stderr.strip()[-300:]}")
    return str(folder / "bin/model_signing")


@pytest.fixture
def artifact(tmp_path: Path) -> SignedArtifact:
    return SignedArtifact(tmp_path)


def test_the_tool_accepts_ours(tool: str, artifact: SignedArtifact, tmp_path: Path) -> None:
    artifact.bundle()
    (tmp_path / "bob.pem").write_text(pem("bob"))
    command = [tool, "verify", "key", str(artifact.result), "--signature", str(artifact.statements)]
    command += ["--public_key", str(tmp_path / "bob.pem")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (artifact.result / "weights.safetensors").write_bytes(b"others")
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0


def test_we_accept_the_tools(tool: str, artifact: SignedArtifact, tmp_path: Path) -> None:
    artifact.bundle()
    private = KEYS["bob"]._key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "bob.pem").write_bytes(private)
    command = [tool, "sign", "key", str(artifact.result), "--signature", str(artifact.statements)]
    subprocess.run([*command, "--private_key", str(tmp_path / "bob.pem")], check=True, capture_output=True)
    assert artifact.slugs() == set()
    (artifact.result / "weights.safetensors").write_bytes(b"others")
    assert artifact.slugs() == {"weights-changed"}


@pytest.mark.parametrize(("curve", "algorithm"), [(SECP384R1(), "ecdsa-p384"), (SECP521R1(), "ecdsa-p521")])
def test_we_accept_the_tools_with_its_other_curves(
    curve: EllipticCurve, algorithm: str, tool: str, artifact: SignedArtifact, tmp_path: Path
) -> None:
    artifact.bundle()
    key = generate_private_key(curve)
    (tmp_path / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    artifact.keys["bob"] = {"algorithm": algorithm, "public_key": PublicKey(key.public_key()).pem}
    command = [tool, "sign", "key", str(artifact.result), "--signature", str(artifact.statements)]
    subprocess.run([*command, "--private_key", str(tmp_path / "key.pem")], check=True, capture_output=True)
    assert artifact.slugs() == set()
