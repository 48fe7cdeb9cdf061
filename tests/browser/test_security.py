"""Hostile text and the content security policy. Every other test also checks for violations and foreign requests."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.chat import Chat
from tests.browser.double import WEB, Double
from tests.browser.script import accepted, answer, deltas, done, error

pytestmark = pytest.mark.browser
HOSTILE = (
    "<img src=x onerror=alert(1)><script>alert(2)</script><svg onload=alert(3)>"
    '<a href="javascript:alert(4)">a</a><iframe src="https://evil.example"></iframe>'
    "![p](https://evil.example/pixel.png)[b](javascript:alert(5))"
)


def test_hostile_text_stays_text_wherever_it_comes_from(chat: Chat, double: Double) -> None:
    citation = {"id": HOSTILE, "title": HOSTILE, "url": "javascript:alert(6)"}
    stage = {"name": HOSTILE, "start_ms": 0, "duration_ms": 5}
    timeline = {"total_ms": 5, "stages": [stage]}
    double.plays(accepted(), deltas(HOSTILE), done(citations=[citation], timeline=timeline))
    double.remembers(HOSTILE, HOSTILE)

    turn = chat.ask(HOSTILE).finished()
    turn.timeline.locator("summary").click()

    expect(turn.text).to_contain_text("<img src=x onerror=alert(1)>")
    expect(turn.sources).to_contain_text(["<script>alert(2)</script>"])
    expect(turn.element.get_by_role("rowheader")).to_contain_text("<svg onload=alert(3)>")
    for tag in ("img", "script", "iframe"):
        expect(turn.element.locator(tag)).to_have_count(0)
    assert set(turn.element.locator("a").evaluate_all("links => links.map((link) => link.protocol)")) == {"https:"}


def test_a_hostile_error_message_stays_text(chat: Chat, double: Double) -> None:
    double.plays(accepted(), error("invalid_request", message=HOSTILE))

    turn = chat.ask("Hello?").finished()

    expect(turn.problem).to_contain_text("<script>alert(2)</script>")
    expect(turn.problem.locator("*")).to_have_count(0)


def test_a_hostile_conversation_stays_text_when_it_is_loaded_again(chat: Chat, double: Double) -> None:
    double.plays(answer(HOSTILE))
    chat.ask(HOSTILE).finished()

    chat.page.reload()

    expect(chat.last.element.locator(".question")).to_have_text(HOSTILE)
    expect(chat.turns.locator("img, script, iframe")).to_have_count(0)


def test_the_policy_is_in_force(chat: Chat) -> None:
    chat.page.evaluate("document.body.innerHTML = '<b style=\"color: red\">'")

    assert "style-src-attr inline" in chat.page.evaluate("window.policyViolations")
    chat.page.evaluate("window.policyViolations = []")
    chat.complaints.clear()


def our_files() -> list[Path]:
    """What the pages are made of, without the chart library, which draws on a canvas and is watched by the policy."""
    return [path for path in WEB.glob("**/*") if path.is_file() and path.parent.name != "vendor"]


def test_no_module_parses_markup_or_runs_text() -> None:
    forbidden = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment"
        r"|setHTMLUnsafe|srcdoc|\beval\(|new Function"
    )
    found = [
        one.name for one in our_files() if one.suffix == ".js" and forbidden.search(one.read_text(encoding="utf-8"))
    ]

    assert found == []


def test_the_page_names_no_other_host_and_has_no_inline_code() -> None:
    allowed = "http://www.w3.org/2000/svg"
    for path in our_files():
        if path.suffix in {".html", ".css", ".js", ".svg"}:
            text = path.read_text(encoding="utf-8").replace(allowed, "")
            assert not re.search(r"(https?:)?//[\w-]+\.\w", text), path.name
    for file in (WEB / "index.html", WEB / "console" / "index.html"):
        page = file.read_text(encoding="utf-8")
        assert not re.search(r"\sstyle=|\son\w+=|<style|<script(?![^>]*\ssrc=)", page)
