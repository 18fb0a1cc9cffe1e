from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.loopback import Site, loopback_site

from reprobuild.adapters.credentials import Credentials
from reprobuild.adapters.http import HttpxClient
from reprobuild.domain.digest import Digest
from reprobuild.errors import NetworkError

BODY = bytes(range(256)) * 4096  # 1 MiB
CANARY = "canary-s3cret"


@pytest.fixture
def site() -> Iterator[Site]:
    with loopback_site() as found:
        yield found


@pytest.fixture
def other_site() -> Iterator[Site]:
    with loopback_site() as found:
        yield found


def client(credentials: Credentials | None = None, waits: list[float] | None = None) -> HttpxClient:
    kept = waits if waits is not None else []
    return HttpxClient(credentials or Credentials(), sleep=kept.append, timeout_s=5)


def load(url: str, target: Path, http: HttpxClient | None = None, **options: int) -> tuple[Digest, int]:
    told: list[int] = []
    digest = (http or client()).download(url, target, advance=told.append, **options)
    return digest, sum(told)


def test_a_document_is_read_whole(site: Site) -> None:
    assert client().get(site.put("/page", b"words")) == b"words"


def test_a_download_gives_the_digest_and_counts_every_byte(site: Site, tmp_path: Path) -> None:
    digest, counted = load(site.put("/f", BODY), tmp_path / "f", expected_bytes=len(BODY))
    assert (digest, counted) == (Digest.of_bytes(BODY), len(BODY))
    assert (tmp_path / "f").read_bytes() == BODY


def test_a_download_goes_on_where_the_file_ends(site: Site, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(BODY[:1000])
    digest, counted = load(site.put("/f", BODY), tmp_path / "f", expected_bytes=len(BODY))
    assert (digest, counted) == (Digest.of_bytes(BODY), len(BODY))
    assert [headers["range"] for headers in site.gets("/f")] == ["bytes=1000-"]


def test_a_complete_file_is_not_asked_for_again(site: Site, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(BODY)
    assert load(site.put("/f", BODY), tmp_path / "f", expected_bytes=len(BODY))[0] == Digest.of_bytes(BODY)
    assert site.requests == []


def test_a_server_without_ranges_makes_it_start_over(site: Site, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"other beginning")
    url = site.put("/f", BODY, ranges=False)
    digest, counted = load(url, tmp_path / "f", expected_bytes=len(BODY))
    assert (digest, counted) == (Digest.of_bytes(BODY), len(BODY))


def test_a_range_past_the_end_makes_it_start_over(site: Site, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(BODY)
    digest, counted = load(site.put("/f", b"short"), tmp_path / "f")
    assert (digest, counted) == (Digest.of_bytes(b"short"), 5)


def test_a_connection_that_breaks_off_is_taken_up_again(site: Site, tmp_path: Path) -> None:
    url = site.put("/f", BODY, cut_after=[100_000, 200_000, 0, 100_000])
    digest, counted = load(url, tmp_path / "f", expected_bytes=len(BODY))
    assert (digest, counted) == (Digest.of_bytes(BODY), len(BODY))
    assert len(site.gets("/f")) == 5


def test_more_breaks_than_tries_are_fine_while_bytes_come(site: Site, tmp_path: Path) -> None:
    url = site.put("/f", BODY, cut_after=[50_000] * 12)
    assert load(url, tmp_path / "f", expected_bytes=len(BODY))[0] == Digest.of_bytes(BODY)


def test_a_server_in_trouble_is_tried_again_and_waited_for_longer_each_time(site: Site) -> None:
    waits: list[float] = []
    assert client(waits=waits).get(site.put("/page", b"words", fail_times=3)) == b"words"
    assert len(waits) == 3 and waits == sorted(waits)


def test_tries_end_and_what_came_stays(site: Site, tmp_path: Path) -> None:
    url = site.put("/f", BODY, cut_after=[1000])
    site.pages["/f"].cut_after += [0] * 20
    with pytest.raises(NetworkError) as caught:
        load(url, tmp_path / "f", expected_bytes=len(BODY))
    assert url in caught.value.message
    assert (tmp_path / "f").read_bytes() == BODY[:1000]


def test_an_absent_page_is_asked_for_once(site: Site) -> None:
    with pytest.raises(NetworkError, match="404"):
        client().get(site.url + "/nothing")
    assert len(site.requests) == 1


def test_a_longer_file_than_expected_is_not_read_to_its_end(site: Site, tmp_path: Path) -> None:
    load(site.put("/f", BODY), tmp_path / "f", expected_bytes=10)
    assert (tmp_path / "f").stat().st_size == 11


def test_the_size_is_told_without_the_file(site: Site) -> None:
    assert client().size_bytes(site.put("/f", BODY)) == len(BODY)
    assert client().size_bytes(site.put("/g", BODY, head=False)) == len(BODY)
    assert client().size_bytes(site.put("/h", BODY, head=False, ranges=False)) == len(BODY)


def test_files_of_this_machine_have_addresses_too(tmp_path: Path) -> None:
    file = tmp_path / "a+b c"
    file.write_bytes(BODY)
    url = file.as_uri()
    assert client().get(url) == BODY
    assert client().size_bytes(url) == len(BODY)
    assert load(url, tmp_path / "copy")[0] == Digest.of_bytes(BODY)
    with pytest.raises(NetworkError, match="No such file"):
        client().get(url + "x")


def test_a_host_that_does_not_answer_is_waited_for_only_once(tmp_path: Path) -> None:
    waits: list[float] = []
    http = client(waits=waits)
    for _ in range(3):
        with pytest.raises(NetworkError):
            http.get("http://127.0.0.1:9/")
    assert len(waits) == 3


def test_credentials_of_the_configured_index_reach_their_host(site: Site) -> None:
    url = site.put("/page", b"words", login=f"me:{CANARY}")
    index = url.replace("http://", f"http://me:{CANARY}@")
    assert client(Credentials([index])).get(url) == b"words"
    assert client().get(index) == b"words"


def test_credentials_of_netrc_reach_their_host(site: Site, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine 127.0.0.1 login me password {CANARY}\n")
    url = site.put("/page", b"words", login=f"me:{CANARY}")
    assert client(Credentials(netrc_file=netrc)).get(url) == b"words"


def test_credentials_do_not_follow_a_redirect_to_another_host(site: Site, other_site: Site) -> None:
    there = other_site.put("/file", b"words")
    here = site.put("/page", b"", login=f"me:{CANARY}", redirect=there)
    index = here.replace("http://", f"http://me:{CANARY}@")
    assert client(Credentials([index])).get(here) == b"words"
    assert client().get(index) == b"words"
    assert other_site.requests and all("authorization" not in headers for *_, headers in other_site.requests)


def test_an_address_that_cannot_be_read_is_an_error_without_it() -> None:
    with pytest.raises(NetworkError) as caught:
        client().get(f"http://me:{CANARY}@[bad/")
    assert CANARY not in str(caught.value.document())


@pytest.mark.parametrize("address", ["nonsense", "gopher://a.example/x"])
def test_an_address_that_is_none_is_an_error(address: str) -> None:
    with pytest.raises(NetworkError):
        client().get(address)


def test_endless_redirects_end(site: Site) -> None:
    site.put("/a", b"", redirect="/a")
    with pytest.raises(NetworkError, match="redirects"):
        client().get(site.url + "/a")


def test_a_redirect_to_a_file_is_refused(site: Site, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"private")
    site.put("/a", b"", redirect=(tmp_path / "f").as_uri())
    with pytest.raises(NetworkError, match="not HTTP"):
        client().get(site.url + "/a")


def test_no_credential_appears_in_errors_or_logs(
    site: Site, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for path, manners in (
        ("/gone", {"status": 404}),
        ("/no", {"status": 403}),
        ("/down", {"fail_times": 99}),
    ):
        url = (
            site.put(path, b"", **manners).replace("http://", f"http://me:{CANARY}@") + f"?signature={CANARY}"
        )
        for call in (client().get, client().size_bytes, lambda one: load(one, tmp_path / "f")):
            with pytest.raises(NetworkError) as caught:
                call(url)
            seen: BaseException | None = caught.value
            while seen is not None:
                assert CANARY not in str(seen) + repr(seen)
                seen = None if seen.__suppress_context__ else seen.__context__ or seen.__cause__
            assert CANARY not in str(caught.value.document())
    assert CANARY not in "".join(record.getMessage() for record in caplog.records if record.name == "httpx")
    assert list(tmp_path.iterdir()) == [tmp_path / "f"] and (tmp_path / "f").read_bytes() == b""
