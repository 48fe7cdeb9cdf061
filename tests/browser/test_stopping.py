"""Stop: by button, by key, early and late."""

import pytest
from playwright.sync_api import expect

from tests.browser.chat import Chat
from tests.browser.double import Double
from tests.browser.script import Gate, Refusal, accepted, answer, deltas, done

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("way", ["button", "escape"])
def test_stop_cancels_the_turn_and_keeps_its_text(chat: Chat, double: Double, way: str) -> None:
    double.plays(accepted(), deltas("Half an answer"), Gate(), done())
    turn = chat.ask("Tell me everything")
    expect(turn.text).to_have_text("Half an answer")

    if way == "button":
        chat.button("Stop answering").click()
    else:
        chat.box.press("Escape")

    turn.finished()
    expect(turn.note).to_have_text("You stopped this answer.")
    expect(turn.text).to_have_text("Half an answer")
    assert [request.path for request in double.seen("DELETE", "/api/chat")] == ["/api/chat/t-1"]
    expect(chat.button("Send")).to_be_visible()
    expect(chat.box).to_be_focused()


def test_stop_before_the_server_named_the_turn_cancels_it_as_soon_as_it_is_named(chat: Chat, double: Double) -> None:
    named = Gate()
    double.plays(named, accepted(), Gate(), done())
    turn = chat.ask("Oh, never mind")
    expect(turn.status).to_have_text("Sending…")

    chat.button("Stop answering").click()
    expect(turn.status).to_have_text("Stopping…")
    named.open()

    expect(turn.finished().note).to_have_text("You stopped this answer.")
    assert [request.path for request in double.seen("DELETE", "/api/chat")] == ["/api/chat/t-1"]


def test_stop_while_waiting_to_send_again_sends_nothing_more(chat: Chat, double: Double) -> None:
    double.refusals.append(Refusal(429, "capacity_exhausted", retry_after_seconds=60))
    turn = chat.ask("Hello?")
    expect(turn.status).to_contain_text("sent again in")

    chat.button("Stop answering").click()

    expect(turn.finished().note).to_have_text("You stopped this answer.")
    assert len(double.seen("POST", "/api/chat")) == 1


def test_a_stop_that_comes_too_late_shows_the_whole_answer(chat: Chat, double: Double) -> None:
    held = Gate()
    double.plays(accepted(), deltas("All of "), held, deltas("it."), done())
    turn = chat.ask("Hello?")
    expect(turn.text).to_have_text("All of")
    stored = double.turns["t-1"]
    stored.log += [*deltas("it."), done()]
    stored.state = "succeeded"

    chat.button("Stop answering").click()

    expect(turn.finished().text).to_have_text("All of it.")
    expect(turn.note).to_be_hidden()


def test_the_next_question_waits_until_the_turn_is_over(chat: Chat, double: Double) -> None:
    end = Gate()
    double.plays(accepted(), deltas("First"), end, done())
    double.plays(answer("Second"))
    first = chat.ask("One?")
    expect(first.text).to_have_text("First")

    chat.box.fill("Two?")
    chat.box.press("Enter")
    expect(chat.turns).to_have_count(1)
    expect(chat.box).to_have_value("Two?")
    end.open()
    first.finished()
    chat.box.press("Enter")

    expect(chat.turns).to_have_count(2)
    expect(chat.last.finished().text).to_have_text("Second")
