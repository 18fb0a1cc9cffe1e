"""`reprobuild report` on a model that was built, verified, signed and changed: the real commands, a real Nix."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from .conftest import World

pytestmark = pytest.mark.integration

RULE = '[[rules]]\nmodels = ["tiny"]\npredicates = ["*"]\nkeys = ["release"]\nthreshold = 1\n'


@pytest.fixture(scope="session")
def world(world: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """With records of its own: other tests build models of this name, too."""
    return replace(world, variables={"XDG_STATE_HOME": str(tmp_path_factory.mktemp("state"))})


def test_a_report_with_everything_that_can_be_known(world: World, sourced: Path) -> None:
    spec = sourced / "reprobuild.toml"
    text = spec.read_text()
    spec.write_text(text.replace("lr = 0.1234567", "lr = 0.171"))  # built by this test alone
    first = world.json("nix", "build", cwd=sourced)["artifact_id"]
    spec.write_text(text.replace("lr = 0.1234567", "lr = 0.271"))
    built = world.json("nix", "build", cwd=sourced)
    verdict = world.reprobuild("verify", "--json", cwd=sourced).stdout
    (sourced / "verdict.json").write_text(verdict)
    world.reprobuild("keys", "new", "release", "--no-passphrase", cwd=sourced)
    world.reprobuild("sign", "result", "--record", built["record"], cwd=sourced)
    world.reprobuild("attest", "result", "--verdict", "verdict.json", cwd=sourced)
    key = world.reprobuild("keys", "export", "release", cwd=sourced).stdout
    (sourced / "trust.toml").write_text(f'schema = "reprobuild.trust/1"\n{key}{RULE}')

    options = ("--verdict", "verdict.json", "--trust", "trust.toml", "--why", "a larger step")
    found = world.json("report", "result", *options, "-o", "as-json.html", cwd=sourced)
    world.reprobuild(
        "report", "result", "--verdict", "verdict.json", "--trust", "trust.toml", "--why", "a larger step",
        "--output", "report.html", cwd=sourced,
    )  # fmt: skip
    page = (sourced / "report.html").read_text()
    assert (sourced / "as-json.html").read_text() == page
    assert found["artifact_id"] == built["artifact_id"] and built["artifact_id"] in page
    areas = {one["area"] for one in found["risks"]}
    assert areas <= {"vulnerabilities", "licences"}, found["risks"]
    assert not any(one["known"] for one in found["risks"])
    assert set(found["origins"]) == {"manifest.json", "build record", "statements", "verdict", "trust file"}
    for words in (
        f"Compared with {first}",
        "Why: a larger step",
        "stages.train.params.lr  0.171 → 0.271",
        f"score: {built['metrics']['score']:g}, goal at least 0.5, met",
        "CC0-1.0",
        "Every stage was built again and compared",
        ">release</td>",
        "https://slsa.dev/provenance/v1",
        "wheel packaging",
        "deb libc6",
    ):
        assert words in page, words
    assert "/nix/store" not in page.split("Cause</h3>")[0], "people who decide need no store paths"

    world.reprobuild("nix", "build", "--set", "train.params.lr=0.3", cwd=sourced)
    world.reprobuild("nix", "build", cwd=sourced)
    again = world.reprobuild("report", "result", *options, cwd=sourced, offline=True).stdout
    assert again == page, "written again, without a network, it is the same byte by byte"


def test_since_names_a_record_or_a_result(world: World, tiny: Path) -> None:
    before = world.json("nix", "build", "--set", "train.params.lr=0.2719", cwd=tiny)["record"]
    world.reprobuild("nix", "build", cwd=tiny)
    page = world.reprobuild("report", "--since", before, cwd=tiny).stdout
    assert "stages.train.params.lr  0.2719 → 0.1234567" in page and "Why: nobody said." in page
    same = world.reprobuild("report", "--since", "result", cwd=tiny).stdout
    assert "Nothing differs in what could be compared" in same
