"""An answer, from the question to the last word."""

import pytest
from playwright.sync_api import expect

from tests.browser.chat import Chat
from tests.browser.conftest import OpenChat
from tests.browser.double import Double
from tests.browser.script import Gate, Send, accepted, answer, deltas, done, error, queued

pytestmark = pytest.mark.browser


def test_an_answer_appears_while_it_is_written(chat: Chat, double: Double) -> None:
    second_half = Gate()
    double.plays(accepted(), deltas("It takes two "), second_half, deltas("to four days."), done())

    turn = chat.ask("How long is delivery?")

    expect(turn.text).to_have_text("It takes two")
    expect(turn.element).to_have_attribute("aria-busy", "true")
    second_half.open()
    expect(turn.text).to_have_text("It takes two to four days.")
    turn.finished()


def test_a_question_is_sent_with_its_session_and_an_idempotency_key(chat: Chat, double: Double) -> None:
    double.plays(answer("One."))
    double.plays(answer("Two."))

    chat.ask("First?").finished()
    chat.ask("Second?").finished()

    first, second = double.seen("POST", "/api/chat")
    assert first.body == {"message": "First?"}
    assert second.body == {"message": "Second?", "session_id": "s-1"}
    assert first.headers["x-functions-key"] == "test-key"
    assert first.headers["accept"] == "text/event-stream"
    assert len({first.headers["idempotency-key"], second.headers["idempotency-key"]}) == 2


def test_sources_stand_under_the_answer_and_link_only_where_there_is_an_address(chat: Chat, double: Double) -> None:
    double.plays(answer("Two to four days."))

    turn = chat.ask("How long is delivery?").finished()

    expect(turn.sources).to_have_text(["Delivery: times", "Delivery: cost"])
    link = turn.sources.first.get_by_role("link")
    expect(link).to_have_attribute("href", "https://shop.contoso.example/help/delivery")
    expect(link).to_have_attribute("rel", "noopener noreferrer nofollow ugc")
    expect(turn.sources.last.get_by_role("link")).to_have_count(0)


def test_a_queued_turn_shows_place_and_expected_time_until_the_answer_begins(chat: Chat, double: Double) -> None:
    nearer, begin = Gate(), Gate()
    double.plays(accepted("queued"), queued(1200, 180), nearer, queued(1, 8), begin, deltas("Here."), done())

    turn = chat.ask("Anyone there?")

    expect(turn.status).to_have_text("You are number 1,200 in line, about 3 minutes…")
    nearer.open()
    expect(turn.status).to_contain_text("You are next, about")
    begin.open()
    expect(turn.text).to_have_text("Here.")
    expect(turn.finished().status).to_be_hidden()


def test_a_direct_turn_says_that_it_is_worked_on(chat: Chat, double: Double) -> None:
    begin = Gate()
    double.plays(accepted(), begin, deltas("Done."), done())

    turn = chat.ask("Hello?")

    expect(turn.status).to_have_text("Working on it…")
    begin.open()
    turn.finished()


def test_a_restart_drops_the_partial_text(chat: Chat, double: Double) -> None:
    crash, again = Gate(), Gate()
    restart = Send("restart", {"reason": "worker_lost"})
    double.plays(accepted(), deltas("The wrong half"), crash, restart, again, deltas("The right answer."), done())

    turn = chat.ask("Tell me")

    expect(turn.text).to_have_text("The wrong half")
    crash.open()
    expect(turn.status).to_have_text("Starting this answer again…")
    expect(turn.text).to_be_hidden()
    again.open()
    expect(turn.text).to_have_text("The right answer.")
    turn.finished()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("content_filtered", "The safety filter stopped this message"),
        ("deadline_exceeded", "This took longer than we wanted to let you wait"),
        ("model_failed", "could not finish this answer"),
        ("something_new", "Something went wrong on our side"),
    ],
)
def test_an_error_of_the_turn_is_told_in_human_words(chat: Chat, double: Double, code: str, words: str) -> None:
    double.plays(accepted(), error(code))

    turn = chat.ask("Hello?").finished()

    expect(turn.problem).to_contain_text(words)
    expect(turn.button("Ask again")).to_be_enabled()


def test_an_answer_that_reached_its_length_limit_says_so(chat: Chat, double: Double) -> None:
    double.plays(answer("Very long", finish_reason="length"))

    expect(chat.ask("Everything?").finished().note).to_have_text("The answer reached its length limit and ends here.")


def test_asking_again_is_a_new_turn_with_the_same_text(chat: Chat, double: Double) -> None:
    double.plays(accepted(), error("model_failed"))
    double.plays(answer("Now it works."))

    chat.ask("Does it work?").finished().button("Ask again").click()

    expect(chat.turns).to_have_count(2)
    expect(chat.last.finished().text).to_have_text("Now it works.")
    keys = {request.headers["idempotency-key"] for request in double.seen("POST", "/api/chat")}
    assert len(keys) == 2


def test_a_failed_turn_may_be_asked_again_only_after_the_time_the_server_gave(
    open_chat: OpenChat, double: Double
) -> None:
    chat = open_chat(fake_clock=True)
    double.plays(accepted("queued"), error("capacity_exhausted", retry_after_ms=30_000))

    turn = chat.ask("Hello?").finished()

    expect(turn.button("Ask again in")).to_be_disabled()
    chat.page.clock.fast_forward(31_000)
    expect(turn.button("Ask again")).to_have_text("Ask again")
    expect(turn.button("Ask again")).to_be_enabled()
