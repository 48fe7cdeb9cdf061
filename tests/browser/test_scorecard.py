"""The scorecard in a real browser: for everyone, on a phone and on a desk, by day and by night, and on paper."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from shared.evaluation.scorecard.page import to_html
from tests.browser.test_accessibility import LOOKS, RULES, SIDEWAYS
from tests.unit.evaluation.reports import EVIL, report, scores

pytestmark = pytest.mark.browser
ITEMS = 24
TARGETS = """() => [...document.querySelectorAll("nav a, summary")]
  .map((element) => element.getBoundingClientRect()).filter((box) => box.height < 24).length"""


@pytest.fixture(scope="module")
def axe(node_modules: Path) -> str:
    """The source of axe-core."""
    return (node_modules / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture
def page(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page that loads nothing and complains of nothing, whatever is shown on it."""
    context = chromium.new_context(**getattr(request, "param", {}))
    complaints: list[str] = []
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: complaints.append(asked.url))
    yield page
    context.close()
    assert complaints == []


def violations(page: Page, axe: str) -> list[str]:
    page.evaluate(axe + "; undefined")
    found: dict[str, Any] = page.evaluate("rules => axe.run(document, rules)", RULES)
    return [f"{violation['id']}: {node['html']}" for violation in found["violations"] for node in violation["nodes"]]


@pytest.mark.parametrize("page", LOOKS, indirect=True)
def test_the_scorecard_is_accessible_and_fits_every_screen(page: Page, axe: str) -> None:
    wicked = report(scores(20, total=ITEMS), title=EVIL, system="m" * 200, datasets=["a-very-long-name" * 20])
    for shown in (wicked, report(scores(9, harmful=9, total=ITEMS), progress=(20, ITEMS))):
        page.set_content(to_html(shown))
        assert violations(page, axe) == []
        assert page.evaluate(SIDEWAYS) == 0
        assert page.evaluate(TARGETS) == 0


def test_the_first_screen_of_a_phone_says_the_verdict_and_words_explain_themselves(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.set_content(to_html(report(scores(380))))
    verdict = page.get_by_text("GO", exact=True).first
    expect(verdict).to_be_in_viewport()
    expect(page.get_by_text("Ready to launch: every demand is met")).to_be_in_viewport()
    meaning = page.locator("details.term small").first
    expect(meaning).to_be_hidden()
    page.locator("details.term summary").first.focus()
    page.keyboard.press("Enter")
    expect(meaning).to_be_visible()
    expect(meaning).to_have_text("Does the answer address the question? 1 to 5, by a judge model.")


def test_the_scorecard_prints_each_audience_on_its_own_sheet_without_anything_cut_off(page: Page) -> None:
    page.set_content(to_html(report(scores(20, total=ITEMS))))
    page.emulate_media(media="print")
    assert page.locator("nav").is_hidden()
    assert page.locator("section").nth(1).evaluate("element => getComputedStyle(element).breakBefore") == "page"
    assert page.locator(".scroll").first.evaluate("element => getComputedStyle(element).overflow") == "visible"
    assert page.pdf().startswith(b"%PDF")
