"""Claims about where an archive is looked for."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from reprobuild.adapters.debian.mirrors import Mirror, Mirrors, dated_url, find_mirrors, package_urls

GOLDEN = Path(__file__).parents[1] / "golden/debian"


def urls(folder: str) -> list[str]:
    return [mirror.url for mirror in find_mirrors([], {}, apt_folder=GOLDEN / folder).live]


def test_one_line_lists_give_debian_s_own_mirrors_only() -> None:
    assert urls("apt-one-line") == [
        "http://first.example/debian",
        "https://second.example/debian",
        "file:///srv/mirror",
    ]


def test_deb822_lists_give_debian_s_own_mirrors_only() -> None:
    assert urls("apt-deb822") == ["http://one.example/debian", "http://two.example/debian"]


def test_mirror_lists_are_followed(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("http://a.example/debian\tpriority:1\n# no\nhttps://b.example/debian\n")
    (tmp_path / "sources.list").write_text(f"deb mirror+file:{tmp_path}/list bookworm main\n")
    found = find_mirrors([], {}, apt_folder=tmp_path)
    assert [mirror.url for mirror in found.live] == ["http://a.example/debian", "https://b.example/debian"]


def test_the_spec_comes_before_the_environment_and_that_before_apt(tmp_path: Path) -> None:
    (tmp_path / "sources.list").write_text("deb http://c.example/debian bookworm main\n")
    found = find_mirrors(
        ["http://a.example/debian/"],
        {"REPROBUILD_DEBIAN_MIRRORS": "http://b.example/debian, http://a.example/debian"},
        apt_folder=tmp_path,
    )
    assert found.live == (
        Mirror("http://a.example/debian", "[base] mirrors"),
        Mirror("http://b.example/debian", "REPROBUILD_DEBIAN_MIRRORS"),
        Mirror("http://c.example/debian", str(tmp_path / "sources.list")),
    )


def test_a_folder_is_a_mirror() -> None:
    assert find_mirrors(["/srv/debian"], {}, apt_folder=Path("/nowhere")).live[0].url == "file:///srv/debian"


def test_a_host_without_apt_has_no_mirror() -> None:
    assert not find_mirrors([], {}, apt_folder=Path("/nowhere")).known


def test_dated_archives_come_from_environment_and_apt() -> None:
    found = find_mirrors(
        [],
        {"REPROBUILD_DEBIAN_SNAPSHOTS": "http://old.example/archive/debian"},
        apt_folder=Path("/nowhere"),
        apt_config='Acquire::Snapshots::URI::Origin::Debian "https://apt.example/debian/@SNAPSHOTID@/";\n',
    )
    moment = datetime(2026, 7, 11, 10, 16, 37, tzinfo=UTC)
    assert [dated_url(mirror, moment) for mirror in found.dated] == [
        "http://old.example/archive/debian/20260711T101637Z",
        "https://apt.example/debian/20260711T101637Z",
    ]


def test_packages_are_asked_of_dated_archives_a_day_later_first() -> None:
    mirrors = Mirrors((Mirror("http://a", ""),), (Mirror("http://b/@SNAPSHOTID@", ""),))
    assert package_urls(mirrors, "pool/x.deb", datetime(2026, 7, 11, 10, tzinfo=UTC)) == (
        "http://a/pool/x.deb",
        "http://b/20260712T100000Z/pool/x.deb",
        "http://b/20260711T100000Z/pool/x.deb",
    )
