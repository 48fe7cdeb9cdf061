"""axe-core on every state of the page, sizes of targets, and what screen readers are told."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.chat import Chat
from tests.browser.conftest import OpenChat
from tests.browser.double import Double
from tests.browser.script import CITATIONS, Gate, Refusal, accepted, answer, deltas, done, error, queued

pytestmark = pytest.mark.browser
RICH = """## Robots

The **R3**, see [the guide](https://shop.contoso.example/g).

1. One
   - `two`

> quoted

```
code
```

| a | b |
|---|---|
| 1 | 2 |
"""
LONG_CITATION = {
    **CITATIONS[0],
    "title": "A guide with a title that is so long that it does not fit into one line of a phone",
}
LOOKS = [
    pytest.param({"color_scheme": scheme, "viewport": {"width": width, "height": 800}}, id=f"{scheme}-{width}")
    for scheme in ("light", "dark")
    for width in (320, 1280)
]
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
SMALL_TARGETS = """() => [...document.querySelectorAll("button, summary, input, textarea, .sources a")]
  .filter((element) => element.checkVisibility())
  .map((element) => [element.getBoundingClientRect(), element])
  .filter(([box]) => box.width < 44 || box.height < 44)
  .map(([box, element]) => `${element.outerHTML.slice(0, 80)}: ${box.width} x ${box.height}`)"""
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def axe(node_modules: Path) -> str:
    """The source of axe-core."""
    return (node_modules / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def check(chat: Chat, axe: str) -> None:
    """No rule of axe is broken, every target is large enough, and nothing sticks out sideways."""
    chat.page.evaluate(axe + "; undefined")
    chat.page.evaluate("Promise.all(document.getAnimations().map((animation) => animation.finished)).catch(() => {})")
    result = chat.page.evaluate("rules => axe.run(document, rules)", RULES)
    violations = [
        f"{violation['id']}: {node['html']} ({node['failureSummary']})"
        for violation in result["violations"]
        for node in violation["nodes"]
    ]
    assert violations == []
    assert chat.page.evaluate(SMALL_TARGETS) == []
    assert chat.page.evaluate(SIDEWAYS) == 0


@pytest.mark.parametrize("look", LOOKS)
def test_the_welcome_and_the_sign_in_are_accessible(
    open_chat: OpenChat, axe: str, double: Double, look: dict[str, Any]
) -> None:
    chat = open_chat("/api/", **look)
    check(chat, axe)
    double.plays(answer("Hello."))
    chat.page.get_by_label("Enter your access key").fill("wrong-key")
    chat.button("Continue").click()
    expect(chat.box).to_be_visible()
    check(chat, axe)
    chat.ask("Hello?")
    expect(chat.page.get_by_role("alert")).to_be_visible()
    check(chat, axe)


@pytest.mark.parametrize("look", LOOKS)
def test_a_conversation_is_accessible_in_every_state(
    open_chat: OpenChat, axe: str, double: Double, look: dict[str, Any]
) -> None:
    chat = open_chat(**look)
    begin = Gate()
    double.plays(answer(RICH, citations=[LONG_CITATION, *CITATIONS]))
    double.plays(accepted(), error("capacity_exhausted", retry_after_ms=60_000))
    double.plays(accepted("queued"), queued(12, 40), begin, deltas("Half an answer"), Gate(), done())
    turn = chat.ask("A question with averyveryveryveryveryveryveryveryveryveryverylongword?").finished()
    turn.timeline.locator("summary").click()
    turn.button("Bad answer").click()
    expect(turn.element.get_by_role("textbox")).to_be_visible()
    chat.ask("Is it full?").finished()
    waiting = chat.ask("Still waiting?")
    expect(waiting.status).to_contain_text("You are number 12")
    check(chat, axe)
    begin.open()
    expect(waiting.text).to_have_text("Half an answer")
    check(chat, axe)
    chat.button("Clear history").click()
    expect(chat.page.get_by_role("dialog")).to_be_visible()
    check(chat, axe)


def listener(spoken: list[str]) -> Callable[[str], None]:
    """A function that notes what it hears; the driver does not take a method of a built-in type."""

    def heard(words: str) -> None:
        spoken.append(words)

    return heard


def test_screen_readers_hear_sentences_and_not_tokens(open_chat: OpenChat, double: Double) -> None:
    chat = open_chat()
    spoken: list[str] = []
    chat.page.expose_function("heard", listener(spoken))
    chat.page.evaluate("""new MutationObserver((changes) => {
      for (const { addedNodes } of changes) for (const node of addedNodes) window.heard(node.textContent);
    }).observe(document.getElementById("announcements"), { childList: true })""")
    text = "It takes **two** to four days. Express takes one day. It costs 12.90 euros."
    double.plays(accepted(), deltas(text, 3), done())

    chat.ask("How long is delivery?").finished()
    expect(chat.page.locator("#announcements")).to_contain_text("Answer complete.")

    answer_spoken = [words for words in spoken if "…" not in words]
    assert answer_spoken[-1] == "Answer complete."
    assert " ".join(answer_spoken[:-1]) == text.replace("*", "")
    assert all(words.endswith(".") for words in answer_spoken)
    assert len(answer_spoken) <= 4


def test_a_growing_answer_is_announced_sentence_by_sentence(modules: Chat) -> None:
    grow = """({ Announcer }, text) => {
      const region = document.createElement("div");
      const announcer = new Announcer(region);
      announcer.begin();
      for (let length = 1; length <= text.length; length++) announcer.follow(text.slice(0, length), false);
      announcer.follow(text, true);
      return [...region.children].map((line) => line.textContent);
    }"""

    spoken = modules.module("announcer", grow, "It costs **12.90** euros. Really!\n\n- One\n- Two and")

    assert spoken == ["It costs 12.90 euros.", "Really!", "One", "Two and"]


def test_screen_readers_hear_of_waiting_stopping_and_failing(chat: Chat, double: Double) -> None:
    begin = Gate()
    double.plays(accepted("queued"), queued(7, 40), begin, error("model_failed"))

    turn = chat.ask("Hello?")
    expect(chat.page.locator("#announcements")).to_contain_text("You are number 7 in line, about 40 seconds…")
    begin.open()
    turn.finished()

    expect(chat.page.locator("#announcements")).to_contain_text("The assistant could not finish this answer.")


def test_the_countdown_is_not_read_aloud_every_second(open_chat: OpenChat, double: Double) -> None:
    chat = open_chat(fake_clock=True)
    double.refusals.append(Refusal(429, "capacity_exhausted", 60))
    turn = chat.ask("Hello?")
    expect(turn.status).to_contain_text("sent again in")
    before = len(chat.announced)

    chat.page.clock.run_for(10_000)

    assert len(chat.announced) == before


def test_the_log_is_a_quiet_log_and_the_announcements_are_polite(chat: Chat) -> None:
    log = chat.page.get_by_role("log", name="Conversation")
    expect(log).to_have_attribute("aria-live", "off")
    expect(log).to_have_attribute("tabindex", "0")
    expect(chat.page.locator("#announcements")).to_have_attribute("aria-live", "polite")


@pytest.mark.parametrize(("motion", "moves"), [("reduce", False), ("no-preference", True)])
def test_motion_is_kept_from_those_who_do_not_want_it(
    open_chat: OpenChat, double: Double, motion: str, moves: bool
) -> None:
    chat = open_chat(reduced_motion=motion)
    double.plays(accepted(), Gate())
    turn = chat.ask("Hello?")
    expect(turn.status).to_have_text("Working on it…")

    endless = "document.getAnimations().some((one) => one.effect.getComputedTiming().iterations === Infinity)"

    assert chat.page.evaluate(endless) is moves


@pytest.mark.parametrize(("scheme", "brightness"), [("light", "bright"), ("dark", "dark")])
def test_the_page_follows_the_colour_scheme(open_chat: OpenChat, scheme: str, brightness: str) -> None:
    chat = open_chat(color_scheme=scheme)

    background = chat.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    channels = [int(part) for part in background.removeprefix("rgb(").removesuffix(")").split(",")]

    assert (sum(channels) > 3 * 128) == (brightness == "bright")
