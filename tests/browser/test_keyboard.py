"""Writing, sending and finding the way by keyboard."""

import pytest
from playwright.sync_api import expect

from tests.browser.chat import Chat
from tests.browser.conftest import OpenChat
from tests.browser.double import Double
from tests.browser.script import Gate, accepted, answer, deltas, done

pytestmark = pytest.mark.browser


def test_enter_sends_and_shift_enter_breaks_the_line(chat: Chat, double: Double) -> None:
    double.plays(answer("Yes."))

    chat.box.press_sequentially("One")
    chat.box.press("Shift+Enter")
    chat.box.press_sequentially("Two")
    chat.box.press("Enter")

    chat.last.finished()
    assert double.seen("POST", "/api/chat")[0].body["message"] == "One\nTwo"
    expect(chat.box).to_have_value("")
    expect(chat.box).to_be_focused()


def test_enter_that_belongs_to_an_input_method_does_not_send(chat: Chat, double: Double) -> None:
    chat.box.fill("にほん")

    chat.box.dispatch_event("keydown", {"key": "Enter", "isComposing": True})

    expect(chat.box).to_have_value("にほん")
    assert double.requests == []


def test_nothing_is_not_sent(chat: Chat, double: Double) -> None:
    expect(chat.button("Send")).to_be_disabled()

    chat.box.fill("  \n ")
    chat.box.press("Enter")

    expect(chat.button("Send")).to_be_disabled()
    assert double.requests == []


def test_the_box_grows_with_its_text_up_to_a_limit(chat: Chat) -> None:
    def height() -> float:
        return float(chat.box.evaluate("box => box.getBoundingClientRect().height"))

    one_line = height()
    chat.box.fill("a\nb\nc")
    three_lines = height()
    chat.box.fill("a\n" * 100)

    assert one_line < three_lines < height() <= 200
    chat.box.fill("")
    assert height() == one_line


def test_a_suggestion_asks_its_question(chat: Chat, double: Double) -> None:
    double.plays(answer("Two to four days."))

    chat.button("How long does delivery take, and what does it cost?").press("Enter")

    chat.last.finished()
    assert double.requests[0].body["message"] == "How long does delivery take, and what does it cost?"
    expect(chat.box).to_be_focused()


def test_everything_of_an_answer_is_reached_by_tab_in_reading_order(chat: Chat, double: Double) -> None:
    double.plays(answer("See [the guide](https://shop.contoso.example/guide)."))
    turn = chat.ask("Hello?").finished()
    turn.text.get_by_role("link").focus()

    reached = []
    for _ in range(6):
        chat.page.keyboard.press("Tab")
        reached.append(chat.page.evaluate("document.activeElement.ariaLabel ?? document.activeElement.innerText"))

    expected = [
        "Delivery: times",
        "Copy answer",
        "Good answer",
        "Bad answer",
        "Ask again",
        "Where the time went: 1.84 s",
    ]
    assert reached == expected


def test_the_log_follows_the_answer_until_the_reader_scrolls_up(open_chat: OpenChat, double: Double) -> None:
    chat = open_chat(viewport={"width": 600, "height": 500})
    middle, end = Gate(), Gate()
    paragraph = "Some words of an answer that is long enough. " * 12 + "\n\n"
    double.plays(
        accepted(), deltas(paragraph * 3, 300), middle, deltas(paragraph * 3, 300), end, deltas("The end."), done()
    )
    log = chat.page.get_by_role("log")
    from_end = "log => Math.round(log.scrollHeight - log.scrollTop - log.clientHeight)"
    turn = chat.ask("Tell me")
    expect(turn.text.locator("p")).to_have_count(3)
    assert log.evaluate(from_end) <= 1

    log.evaluate("log => log.scrollTo(0, 0)")
    expect(chat.button("Latest")).to_be_hidden()
    middle.open()
    expect(turn.text.locator("p")).to_have_count(6)

    expect(chat.button("Latest")).to_be_visible()
    assert log.evaluate("log => log.scrollTop") == 0
    chat.button("Latest").click()
    expect(chat.button("Latest")).to_be_hidden()
    end.open()
    turn.finished()
    expect(turn.timeline).to_be_in_viewport()
