from __future__ import annotations

from pathlib import Path

import pytest

from reprobuild.adapters.pip_config import Index, IndexConfig, read_index_config

CANARY = "canary-s3cret"


@pytest.fixture
def host(tmp_path: Path) -> Path:
    for folder in ("etc", "home/.config/pip", "venv"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path


def read(host: Path, **environment: str) -> IndexConfig:
    return read_index_config(environment, home=host / "home", prefix=str(host / "venv"), root=str(host))


def test_nothing_configured_gives_nothing(host: Path) -> None:
    assert read(host) == IndexConfig()


def test_pip_files_are_read_the_later_over_the_earlier(host: Path) -> None:
    (host / "etc/pip.conf").write_text(
        "[global]\nindex-url = https://one.example/simple\nfind-links = /wheels\ncert = /ca.pem\n"
    )
    (host / "home/.config/pip/pip.conf").write_text("[global]\nindex_url = https://two.example/simple\n")
    found = read(host)
    assert found.default_index == Index("default", "https://two.example/simple")
    assert (found.find_links, found.cert) == (("/wheels",), "/ca.pem")
    (host / "venv/pip.conf").write_text("[global]\nindex-url = https://three.example/simple\n")
    assert read(host).default_index == Index("default", "https://three.example/simple")
    named = host / "named.conf"
    named.write_text("[global]\nindex-url = https://four.example/simple\n")
    assert read(host, PIP_CONFIG_FILE=str(named)).default_index == Index(
        "default", "https://four.example/simple"
    )
    last = read(host, PIP_CONFIG_FILE=str(named), PIP_INDEX_URL="https://five.example/simple")
    assert last.default_index == Index("default", "https://five.example/simple")


def test_the_install_section_goes_before_global_wherever_it_stands(host: Path) -> None:
    (host / "etc/pip.conf").write_text("[install]\nno-index = true\n")
    (host / "home/.config/pip/pip.conf").write_text("[global]\nno-index = false\n")
    assert read(host).no_index


def test_several_extra_indexes_get_names_of_their_own(host: Path) -> None:
    (host / "etc/pip.conf").write_text(
        "[global]\nextra-index-url =\n  https://a.example/simple\n  https://b.example/simple\n"
    )
    found = read(host)
    assert found.extra_indexes == (
        Index("extra-1", "https://a.example/simple"),
        Index("extra-2", "https://b.example/simple"),
    )
    assert found.pip_rules


def test_dev_null_switches_the_files_off(host: Path) -> None:
    (host / "etc/pip.conf").write_text("[global]\nfind-links = /wheels\n")
    assert read(host, PIP_CONFIG_FILE="/dev/null").find_links == ()


def test_uv_variables_go_first_and_wheelhouses_add_up(host: Path) -> None:
    found = read(
        host,
        UV_INDEX="corp=https://corp.example/simple https://plain.example/simple?a=b",
        UV_DEFAULT_INDEX="https://default.example/simple",
        UV_FIND_LINKS="/one,~/two",
        PIP_FIND_LINKS="/three /one",
        PIP_INDEX_URL="https://pip.example/simple",
        PIP_EXTRA_INDEX_URL="https://pip-extra.example/simple",
    )
    assert found.default_index == Index("default", "https://default.example/simple")
    assert found.extra_indexes == (
        Index("corp", "https://corp.example/simple"),
        Index("extra-2", "https://plain.example/simple?a=b"),
    )
    assert found.find_links == ("/one", str(host / "home/two"), "/three")
    assert not found.pip_rules


def test_either_client_may_allow_the_keyring(host: Path) -> None:
    assert not read(host).keyring
    assert read(host, UV_KEYRING_PROVIDER="subprocess").keyring
    assert read(host, PIP_KEYRING_PROVIDER="subprocess").keyring
    assert not read(host, PIP_KEYRING_PROVIDER="import").keyring


def test_wheelhouses_are_the_folders_among_the_find_links(host: Path) -> None:
    links = (str(host / "etc"), (host / "venv").as_uri(), "https://links.example/page", "/nowhere/at/all")
    assert IndexConfig(find_links=links).wheelhouses == (host / "etc", host / "venv")


def test_a_password_is_not_shown(host: Path) -> None:
    found = read(host, PIP_INDEX_URL=f"https://me:{CANARY}@host.example/simple")
    assert found.default_index is not None and CANARY in found.default_index.url
    assert CANARY not in repr(found) + repr(found.default_index)


def test_a_damaged_file_is_passed_over(host: Path) -> None:
    (host / "etc/pip.conf").write_text("no section\n")
    (host / "home/.config/pip/pip.conf").write_text("[global]\nfind-links = /wheels\n")
    assert read(host).find_links == ("/wheels",)


def test_uv_is_told_the_same_by_variables() -> None:
    assert IndexConfig().uv_variables == {}
    config = IndexConfig(
        default_index=Index("default", "https://one.example/simple"),
        extra_indexes=(Index("my index", "https://two.example"), Index("extra-2", "https://three.example")),
        find_links=("/wheels", "https://four.example/page"),
        cert="/ca.pem",
        keyring=True,
    )
    assert config.uv_variables == {
        "UV_DEFAULT_INDEX": "https://one.example/simple",
        "UV_INDEX": "my-index=https://two.example extra-2=https://three.example",
        "UV_FIND_LINKS": "/wheels,https://four.example/page",
        "SSL_CERT_FILE": "/ca.pem",
        "UV_KEYRING_PROVIDER": "subprocess",
    }
