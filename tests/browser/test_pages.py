"""Every HTML page in a real Chromium that has no network: complete in itself, readable, printable, accessible."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from tests.integration.conftest import cannot_build

from .sample_pages import write_pages
from .webdriver import Browser, browser

pytestmark = pytest.mark.browser

PAGES = ("report", "bare-report", "verdict", "diff")
PAPER = 680  # A4 in CSS pixels, with margins of 15 mm
CONTRAST = Path(__file__).with_name("contrast.js").read_text()
# What people use, or see without reading it: each needs a name for those who hear the page.
NAMED = "a, button, input, select, summary, svg, img, nav, [tabindex], [role]"


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        cannot_build("chromium and chromium-driver are not installed: scripts/test installs them")
    with browser(chromium, driver, tmp_path_factory.mktemp("chromium")) as made:
        yield made


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_pages(tmp_path_factory.mktemp("pages"))


@pytest.fixture(params=PAGES)
def shown(request: pytest.FixtureRequest, window: Browser, pages: dict[str, Path]) -> Browser:
    """The window with one of the pages, nothing folded away."""
    return show(window, pages[request.param])


def show(window: Browser, page: Path) -> Browser:
    window.look()
    window.open(page)
    window.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    return window


def hard_to_read(window: Browser) -> list[str]:
    """Text with too little contrast, in light or dark."""
    found: list[str] = []
    for scheme in ("light", "dark"):
        window.look(scheme)
        contrast = window.evaluate(CONTRAST)
        assert contrast["seen"] > 10
        found += [f"{scheme}: {text}: {ratio:.2f}" for text, ratio in contrast["found"]]
    return found


def width_at_400(window: Browser) -> int:
    window.look(width=400)
    return int(window.evaluate("return document.documentElement.scrollWidth"))


def unnamed(window: Browser) -> list[str]:
    return [role for role, label in window.labels(NAMED) if not label.strip()]


def test_the_browser_reaches_no_network(window: Browser, pages: dict[str, Path]) -> None:
    window.open(pages["verdict"])
    answer = window.evaluate("return fetch('http://127.0.0.1/').then(() => 'there', () => 'nothing')")
    assert answer == "nothing"
    assert any("ERR_" in line for line in window.console()), "what fails is heard"
    assert any(address.startswith("http") for address in window.requests())


def test_a_page_asks_for_nothing_but_itself_and_has_no_errors(
    window: Browser, pages: dict[str, Path]
) -> None:
    for page in pages.values():
        window.open(page)
        assert window.requests() == [page.as_uri()]
        assert window.console() == []


def test_light_and_dark_differ_and_both_can_be_read(shown: Browser) -> None:
    assert hard_to_read(shown) == []
    pictures = []
    for scheme in ("light", "dark"):
        shown.look(scheme)
        pictures.append(shown.picture())
    assert pictures[0] != pictures[1]


def test_nothing_scrolls_sideways_at_400_pixels_but_tables_and_pictures_inside_themselves(
    shown: Browser,
) -> None:
    assert width_at_400(shown) <= 400


def test_print_has_text_and_what_is_folded_away(shown: Browser) -> None:
    shown.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = false; })")
    made = shown.print()
    assert made.startswith(b"%PDF") and b"/Font" in made
    hidden = (
        "return [...document.querySelectorAll('details > :not(summary)')]"
        ".filter((one) => one.getBoundingClientRect().height === 0 || !one.checkVisibility()).length"
    )
    folded = shown.evaluate("return document.querySelectorAll('details').length")
    assert shown.evaluate(hidden) == folded, "on the screen it is folded away"
    shown.look(width=PAPER)
    shown.devtools("Emulation.setEmulatedMedia", media="print")
    in_print, width = shown.evaluate(hidden), shown.evaluate("return document.documentElement.scrollWidth")
    shown.devtools("Emulation.setEmulatedMedia", media="")
    assert in_print == 0
    assert width <= PAPER, "paper does not scroll"


def test_whatever_is_used_or_drawn_has_a_name(shown: Browser) -> None:
    assert unnamed(shown) == []
    assert {role for role, _ in shown.labels("svg")} <= {"image"}


def test_landmarks_headings_and_ids_are_in_order(shown: Browser) -> None:
    assert shown.evaluate("return document.documentElement.lang") == "en"
    assert shown.evaluate("return document.title")
    assert shown.evaluate("return document.querySelectorAll('main').length") == 1
    levels = shown.evaluate(
        "return [...document.querySelectorAll('h1, h2, h3, h4')].map((one) => +one.tagName[1])"
    )
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    ids = shown.evaluate("return [...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert len(ids) == len(set(ids))
    dead = shown.evaluate(
        "return [...document.querySelectorAll('a')].filter((one) => !document.querySelector(one.hash)).length"
    )
    assert dead == 0


@pytest.mark.parametrize(
    ("old", "new", "check"),
    [
        ("--faint: #57616c", "--faint: #999", hard_to_read),
        ("--bad: #ff8078", "--bad: #702020", hard_to_read),
        (
            ".scroll { overflow-x: auto",
            ".scroll { overflow-x: visible",
            lambda window: width_at_400(window) > 400,
        ),
        ('role="img" aria-label="accuracy', 'role="img" data-label="accuracy', unnamed),
        ('<nav aria-label="Answers">', "<nav>", unnamed),
    ],
)
def test_a_planted_fault_is_found(
    window: Browser, pages: dict[str, Path], old: str, new: str, check: Callable[[Browser], object]
) -> None:
    text = pages["report"].read_text()
    assert old in text
    (spoilt := pages["report"].with_name("spoilt.html")).write_text(text.replace(old, new))
    assert check(show(window, spoilt))
