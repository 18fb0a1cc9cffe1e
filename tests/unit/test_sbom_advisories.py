"""Known vulnerabilities: which versions an advisory in the OSV format means."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from reprobuild.core.sbom.advisories import Advisory, Finding, judge, parse_advisory
from reprobuild.errors import AdvisoryError
from reprobuild.services.advisory_files import read_advisories

from .sbom_examples import bill, source


def advisory(
    ecosystem: str, name: str, *events: dict[str, str], versions: tuple[str, ...] = (), **more: Any
) -> Advisory | None:
    ranges = [{"type": "ECOSYSTEM", "events": list(events)}] if events else []
    package = {"ecosystem": ecosystem, "name": name}
    return parse_advisory(
        {"id": "TEST-1", "affected": [{"package": package, "ranges": ranges, "versions": versions}], **more}
    )


def found(one: Advisory | None) -> list[Finding]:
    assert one is not None
    return list(judge(bill(), [one]).findings)


INTRODUCED = {"introduced": "0"}


@pytest.mark.parametrize(
    ("events", "hit"),
    [
        ([INTRODUCED, {"fixed": "1.3.1"}], True),
        ([INTRODUCED, {"fixed": "1.3.0"}], False),
        ([INTRODUCED, {"fixed": "1.3"}], False),
        ([{"fixed": "1.10"}, INTRODUCED], True),
        ([INTRODUCED, {"last_affected": "1.3.0"}], True),
        ([INTRODUCED, {"last_affected": "1.2"}], False),
        ([{"introduced": "1.3.0"}], True),
        ([{"introduced": "1.3.1"}], False),
        ([{"introduced": "1.3.0rc1"}, {"fixed": "2"}], True),
        ([INTRODUCED, {"fixed": "1.0"}, {"introduced": "1.2"}, {"fixed": "1.4"}], True),
        ([INTRODUCED, {"fixed": "1.0"}, {"introduced": "1.4"}], False),
        ([INTRODUCED, {"limit": "1.2"}], False),
        ([INTRODUCED, {"limit": "*"}], True),
    ],
)
def test_ranges_of_python_versions(events: list[dict[str, str]], hit: bool) -> None:
    assert bool(found(advisory("PyPI", "mpmath", *events))) is hit


def test_a_listed_version_is_meant_however_it_is_written() -> None:
    assert found(advisory("PyPI", "MPmath", versions=("not-a-version", "1.3")))
    assert not found(advisory("PyPI", "mpmath", versions=("1.2",)))


def test_a_local_build_is_the_release_that_it_was_built_from() -> None:
    assert found(advisory("PyPI", "torch", INTRODUCED, {"last_affected": "2.13.0"}))
    assert not found(advisory("PyPI", "torch", INTRODUCED, {"fixed": "2.13.0"}))


@pytest.mark.parametrize(
    ("ecosystem", "name", "fixed", "hit"),
    [
        ("Debian:12", "glibc", "2.36-9+deb12u15", True),
        ("Debian:12", "glibc", "2.36-9+deb12u14", False),
        ("Debian:12", "glibc", "2.36-9+deb12u9", False),
        ("Debian", "glibc", "2.37", True),
        ("Debian:13", "glibc", "2.99", False),
        ("Debian:12", "libc6", "2.99", False),  # advisories name source packages
        ("Debian:12", "bzip2", "1.0.8-5", False),  # +b1 is no other source
        ("Debian:12", "bzip2", "1.0.8-6", True),
        ("PyPI", "glibc", "2.99", False),
    ],
)
def test_debian_by_source_package_and_release(ecosystem: str, name: str, fixed: str, hit: bool) -> None:
    assert bool(found(advisory(ecosystem, name, INTRODUCED, {"fixed": fixed}))) is hit


def test_the_release_that_mends_it_is_named_oldest_first() -> None:
    (one,) = found(
        advisory("PyPI", "mpmath", INTRODUCED, {"fixed": "1.0"}, {"introduced": "1.1"}, {"fixed": "1.10"})
    )
    assert one.fixed == ("1.10",)


def test_a_withdrawn_advisory_says_nothing() -> None:
    assert advisory("PyPI", "mpmath", INTRODUCED, withdrawn="2026-01-01T00:00:00Z") is None


def test_versions_that_cannot_be_read_are_named_and_not_passed_over() -> None:
    one = advisory("PyPI", "mpmath", INTRODUCED, {"fixed": "the next one"})
    assert one is not None
    judged = judge(bill(), [one])
    assert judged.findings == () and judged.not_judged == ("TEST-1: wheel mpmath 1.3.0",)


def test_a_listed_version_is_a_hit_also_where_the_range_beside_it_cannot_be_read() -> None:
    one = advisory("PyPI", "mpmath", INTRODUCED, {"fixed": "the next one"}, versions=("1.3.0",))
    (finding,) = found(one)
    assert finding.fixed == ()


def test_commit_ranges_are_not_versions_and_the_advisory_is_named() -> None:
    document: dict[str, Any] = {
        "id": "TEST-1",
        "affected": [
            {
                "package": {"ecosystem": "PyPI", "name": "mpmath"},
                "ranges": [{"type": "GIT", "events": [{"introduced": "0"}]}],
            }
        ],
    }
    one = parse_advisory(document)
    assert one is not None
    judged = judge(bill(), [one])
    assert judged.findings == () and judged.not_judged == ("TEST-1: wheel mpmath 1.3.0",)
    told = {"package": {"ecosystem": "PyPI", "name": "mpmath"}, "versions": ["1.2.0"]}
    one = parse_advisory({**document, "affected": [*document["affected"], told]})
    assert one is not None
    assert judge(bill(), [one]).not_judged == ()


def test_tools_of_the_build_are_looked_up_too() -> None:
    assert [one.node for one in found(advisory("PyPI", "installer", INTRODUCED))] == ["tool installer 1.1.0"]
    assert source("tool", "installer").kind == "tool"


DOCUMENT = {"id": "TEST-1", "affected": [{"package": {"ecosystem": "PyPI", "name": "x"}}]}


def test_a_database_is_a_folder_a_zip_or_a_file(tmp_path: Path) -> None:
    folder = tmp_path / "db/deep"
    folder.mkdir(parents=True)
    (folder / "one.json").write_text(json.dumps(DOCUMENT))
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as packed:
        packed.write(folder / "one.json", "one.json")
        packed.writestr("README.md", "not an advisory")
    for place in (tmp_path / "db", tmp_path / "all.zip", folder / "one.json"):
        assert [one.id for one in read_advisories(place)] == ["TEST-1"]


def test_a_folder_of_whole_ecosystems_as_osv_publishes_them(tmp_path: Path) -> None:
    """One zip for each ecosystem, all documents at its top, also of ecosystems and kinds that are not asked about."""
    dump = {
        "PyPI": [DOCUMENT, {**DOCUMENT, "id": "MAL-1", "schema_version": "1.7.0", "database_specific": {"x": []}}],
        "Debian": [
            {
                "id": "DSA-1-1",
                "affected": [
                    {
                        "package": {"ecosystem": "Debian:12", "name": "zlib", "purl": "pkg:deb/debian/zlib"},
                        "ranges": [
                            {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1:1.3"}]},
                            {"type": "GIT", "repo": "https://example.org/zlib", "events": [{"introduced": "0"}]},
                        ],
                        "ecosystem_specific": {"urgency": "not yet assigned"},
                    }
                ],
            },
            {"id": "DSA-2-1", "withdrawn": "2026-01-01T00:00:00Z", "affected": []},
        ],
    }  # fmt: skip
    for ecosystem, documents in dump.items():
        (tmp_path / ecosystem).mkdir()
        with zipfile.ZipFile(tmp_path / ecosystem / "all.zip", "w") as packed:
            for one in documents:
                packed.writestr(f"{one['id']}.json", json.dumps(one))
    assert [one.id for one in read_advisories(tmp_path)] == ["DSA-1-1", "MAL-1", "TEST-1"]


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"id": 1, "affected": [{"package": {"name": "x"}}]}'])
def test_what_is_no_advisory_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.json").write_text(text)
    with pytest.raises(AdvisoryError, match=r"bad\.json"):
        list(read_advisories(tmp_path))


def test_an_empty_database_is_no_all_clear(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "none"):
        with pytest.raises(AdvisoryError, match="no advisories"):
            list(read_advisories(place))
    with zipfile.ZipFile(tmp_path / "bent.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("one.json", json.dumps(DOCUMENT))
    content = bytearray((tmp_path / "bent.zip").read_bytes())
    content[40:50] = b"\xff" * 10
    (tmp_path / "bent.zip").write_bytes(content)
    with pytest.raises(AdvisoryError, match=r"bent\.zip"):
        list(read_advisories(tmp_path / "bent.zip"))
    (tmp_path / "cut.zip").write_bytes(b"PK")
    with pytest.raises(AdvisoryError, match=r"cut\.zip"):
        list(read_advisories(tmp_path / "cut.zip"))
