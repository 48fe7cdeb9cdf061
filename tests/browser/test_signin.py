"""The access key: given, missing, refused."""

import pytest
from playwright.sync_api import expect

from tests.browser.chat import Chat
from tests.browser.conftest import OpenChat
from tests.browser.double import Double
from tests.browser.script import Gate, Refusal, accepted, answer, deltas, done

pytestmark = pytest.mark.browser


def sign_in(chat: Chat, key: str) -> None:
    """Types a key into the sign-in field."""
    chat.page.get_by_label("Enter your access key").fill(key)
    chat.button("Continue").click()


def test_a_key_in_the_address_is_used_and_disappears_from_it(chat: Chat, double: Double) -> None:
    double.plays(answer("Hello."))

    assert chat.page.url == chat.origin + "/api/"
    chat.ask("Hello?").finished()
    assert "test-key" not in str(chat.page.evaluate("[history.state, document.cookie, Object.values(localStorage)]"))


def test_a_key_pasted_into_the_address_of_an_open_page_is_used(open_chat: OpenChat, double: Double) -> None:
    chat = open_chat("/api/")
    double.plays(answer("Hello."))

    chat.page.evaluate("location.hash = '#key=test-key'")

    expect(chat.box).to_be_visible()
    assert chat.page.url == chat.origin + "/api/"
    chat.ask("Hello?").finished()


def test_without_a_key_the_page_asks_for_one(open_chat: OpenChat, double: Double) -> None:
    chat = open_chat("/api/")
    double.plays(answer("Hello."))
    expect(chat.box).to_be_hidden()
    expect(chat.page.get_by_label("Enter your access key")).to_be_focused()

    sign_in(chat, " test-key ")

    expect(chat.box).to_be_focused()
    expect(chat.ask("Hello?").finished().text).to_have_text("Hello.")
    assert double.seen("POST", "/api/chat")[0].headers["x-functions-key"] == "test-key"


def test_a_key_survives_a_reload_but_not_the_tab(chat: Chat) -> None:
    chat.page.reload()
    expect(chat.box).to_be_visible()

    other = chat.other_tab()
    other.go("/api/")

    expect(other.page.get_by_label("Enter your access key")).to_be_visible()


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (401, "unauthorized", "This key was not accepted. Check it and enter it again."),
        (403, "forbidden", "This key has no access to the assistant. Ask for another one."),
    ],
)
def test_a_refused_key_is_asked_for_again_and_the_question_is_not_lost(
    chat: Chat, double: Double, status: int, code: str, words: str
) -> None:
    double.refusals.append(Refusal(status, code))
    double.plays(answer("Hello."))

    turn = chat.ask("Hello?")
    expect(chat.page.get_by_role("alert")).to_have_text(words)
    sign_in(chat, "test-key")

    expect(turn.finished().text).to_have_text("Hello.")
    expect(chat.turns).to_have_count(1)


def test_a_key_that_is_revoked_in_mid_answer_interrupts_it_only(chat: Chat, double: Double) -> None:
    from tests.browser.script import Cut

    revoked = Gate()
    double.plays(accepted(), deltas("One, "), revoked, Cut(), deltas("two."), done())
    turn = chat.ask("Count")
    expect(turn.text).to_have_text("One,")

    double.keys = {"new-key"}
    revoked.open()
    expect(chat.page.get_by_role("alert")).to_contain_text("This key was not accepted")
    sign_in(chat, "new-key")

    expect(turn.finished().text).to_have_text("One, two.")


def test_the_history_waits_for_the_key(open_chat: OpenChat, double: Double) -> None:
    double.remembers("First?", "One.")
    chat = open_chat("/api/")
    chat.page.evaluate("localStorage.setItem('spillway.session', 's-old')")
    chat.page.reload()
    expect(chat.page.get_by_label("Enter your access key")).to_be_visible()
    assert double.requests == []

    sign_in(chat, "test-key")

    expect(chat.turns).to_have_count(1)


def test_an_empty_key_is_not_sent(open_chat: OpenChat, double: Double) -> None:
    chat = open_chat("/api/")

    sign_in(chat, "  ")

    expect(chat.page.get_by_label("Enter your access key")).to_be_focused()
    assert double.requests == []
