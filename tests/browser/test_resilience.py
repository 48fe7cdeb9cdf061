"""Cut connections, refusals, reloads and lost networks."""

import pytest
from playwright.sync_api import Route, expect

from tests.browser.chat import Chat
from tests.browser.conftest import OpenChat
from tests.browser.double import Double
from tests.browser.script import Cut, Gate, Raw, Refusal, Send, accepted, answer, deltas, done

pytestmark = pytest.mark.browser
CONTINUE = Send("continue", {"reason": "time_limit"})


@pytest.mark.parametrize("interruption", [CONTINUE, Cut(abruptly=True), Cut(abruptly=False)], ids=str)
def test_an_interrupted_answer_continues_without_gap_or_repeat(
    chat: Chat, double: Double, interruption: Send | Cut
) -> None:
    first, second = Gate(), Gate()
    begin = [accepted(), *deltas("One, two, "), first, interruption]
    double.plays(begin, deltas("three, "), second, interruption, deltas("four."), done())

    turn = chat.ask("Count")
    expect(turn.text).to_have_text("One, two,")
    first.open()
    expect(turn.text).to_have_text("One, two, three,")
    second.open()

    expect(turn.finished().text).to_have_text("One, two, three, four.")
    resumed = double.seen("GET", "/api/chat/t-1/stream")
    assert len(resumed) == 2
    after_first = 3 if isinstance(interruption, Cut) else 4
    assert resumed[0].headers["last-event-id"] == str(after_first)
    assert len(double.seen("POST", "/api/chat")) == 1


def test_a_cut_before_the_turn_was_named_repeats_the_question_under_the_same_key(chat: Chat, double: Double) -> None:
    double.plays(Cut(), accepted(), deltas("Here."), done())

    expect(chat.ask("Hello?").finished().text).to_have_text("Here.")
    first, second = double.seen("POST", "/api/chat")
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert len(double.turns) == 1


def test_a_connection_that_falls_silent_is_given_up_and_resumed(open_chat: OpenChat, double: Double) -> None:
    chat = open_chat(fake_clock=True)
    silence = Gate()
    double.plays(accepted(), deltas("One, "), silence, deltas("two."), done())
    turn = chat.ask("Count")
    expect(turn.text).to_have_text("One,")

    chat.page.clock.fast_forward(31_000)
    expect(turn.status).to_contain_text("The connection was lost")
    silence.open()
    turn.button("Try now").click()

    expect(turn.finished().text).to_have_text("One, two.")


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (
            Refusal(429, "capacity_exhausted", 30),
            "A lot of people are asking right now. Your message is sent again in 3",
        ),
        (Refusal(503, "unavailable", 30), "The assistant cannot be reached right now. Trying again in 3"),
        (Refusal(502, "", None, b"<h1>Bad gateway</h1>"), "The assistant cannot be reached right now. Trying again"),
    ],
    ids=["429", "503", "a proxy's own page"],
)
def test_a_refused_question_counts_down_and_is_sent_again(
    open_chat: OpenChat, double: Double, refusal: Refusal, words: str
) -> None:
    chat = open_chat(fake_clock=True)
    double.refusals.append(refusal)
    double.plays(answer("Now."))

    turn = chat.ask("Hello?")
    expect(turn.status).to_contain_text(words)
    assert len(double.seen("POST", "/api/chat")) == 1
    chat.page.clock.fast_forward(34_000)

    expect(turn.finished().text).to_have_text("Now.")


def test_the_page_never_comes_back_before_the_time_the_server_gave(open_chat: OpenChat, double: Double) -> None:
    chat = open_chat(fake_clock=True)
    double.refusals.append(Refusal(429, "capacity_exhausted", 30))
    double.plays(answer("Now."))
    turn = chat.ask("Hello?")
    expect(turn.status).to_contain_text("sent again in")

    chat.page.clock.fast_forward(25_000)
    expect(turn.status).to_contain_text("sent again in")

    assert len(double.seen("POST", "/api/chat")) == 1


def test_a_question_refused_four_times_is_given_back(open_chat: OpenChat, double: Double) -> None:
    chat = open_chat(fake_clock=True)
    double.refusals.extend([Refusal(429, "capacity_exhausted", 10)] * 4)
    turn = chat.ask("Hello?")
    expect(turn.status).to_contain_text("sent again in")
    chat.wait_out_pauses(turn)

    expect(turn.problem).to_contain_text("A lot of people are asking right now")
    expect(turn.button("Ask again in")).to_be_disabled()
    assert len(double.seen("POST", "/api/chat")) == 4


def test_a_question_refused_for_long_is_given_back_at_once(chat: Chat, double: Double) -> None:
    double.refusals.append(Refusal(429, "capacity_exhausted", 600))

    turn = chat.ask("Hello?").finished()

    expect(turn.button("Ask again in")).to_have_text("Ask again in 10 min 0 s")
    expect(chat.box).to_be_enabled()


def test_a_refusal_that_waiting_cannot_change_is_not_repeated(chat: Chat, double: Double) -> None:
    double.refusals.append(Refusal(400, "invalid_request"))

    turn = chat.ask("Hello?").finished()

    expect(turn.problem).to_have_text("The assistant could not read this message. Told by the server.")
    assert len(double.seen("POST", "/api/chat")) == 1


def test_an_answer_whose_rest_is_refused_again_and_again_is_given_up(open_chat: OpenChat, double: Double) -> None:
    chat = open_chat(fake_clock=True)
    cut = Gate()
    double.plays(accepted(), deltas("One, "), cut, Cut(), done())
    turn = chat.ask("Count")
    expect(turn.text).to_have_text("One,")
    refused: list[str] = []

    def refuse(route: Route) -> None:
        refused.append(route.request.url)
        route.fulfill(status=500, body='{"error": {"code": "internal_error"}}')

    chat.page.route("**/stream", refuse)

    cut.open()
    expect(turn.status).to_contain_text("Trying again")
    chat.wait_out_pauses(turn)

    expect(turn.problem).to_have_text("Something went wrong on our side. Ask again.")
    expect(turn.text).to_have_text("One,")
    assert len(refused) == 9


@pytest.mark.parametrize("status", [502, 504])
def test_an_error_that_ended_the_turn_is_not_repeated_whatever_its_status(
    chat: Chat, double: Double, status: int
) -> None:
    double.refusals.append(Refusal(status, {502: "model_failed", 504: "deadline_exceeded"}[status]))

    expect(chat.ask("Hello?").finished().problem).to_be_visible()

    assert len(double.seen("POST", "/api/chat")) == 1


@pytest.mark.parametrize(
    ("header", "milliseconds"),
    [
        (None, None),
        ("", None),
        ("0", 0),
        ("120", 120_000),
        ("Thu, 01 Jan 1970 00:01:00 GMT", 50_000),
        ("Thu, 01 Jan 1970 00:00:01 GMT", 0),
        ("soon", None),
        ("-5", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(
    modules: Chat, header: str | None, milliseconds: int | None
) -> None:
    read = "({ retryAfterMilliseconds }, header) => retryAfterMilliseconds(header, 10_000) ?? null"

    assert modules.module("api", read, header) == milliseconds


def test_losing_the_network_pauses_the_answer_and_getting_it_back_resumes_it(chat: Chat, double: Double) -> None:
    rest = Gate()
    double.plays(accepted(), deltas("One, "), rest, deltas("two."), done())

    chat.context.set_offline(True)
    expect(chat.page.get_by_role("alert")).to_contain_text("You are offline")
    turn = chat.ask("Count")
    expect(turn.status).to_have_text("You are offline. This continues when you are back.")
    rest.open()
    chat.context.set_offline(False)

    expect(turn.finished().text).to_have_text("One, two.")
    expect(chat.page.get_by_role("alert")).to_be_hidden()


def test_a_reload_in_mid_answer_continues_where_it_was(chat: Chat, double: Double) -> None:
    rest = Gate()
    double.plays(accepted(), deltas("One, two, "), rest, deltas("three."), done())
    expect(chat.ask("Count").text).to_have_text("One, two,")

    chat.go("/api/")
    chat.page.reload()

    expect(chat.last.text).to_have_text("One, two,")
    rest.open()
    expect(chat.last.finished().text).to_have_text("One, two, three.")
    expect(chat.turns).to_have_count(1)
    assert double.seen("GET", "/api/chat/t-1/stream")[-1].headers["last-event-id"] == "3"
    assert len(double.seen("POST", "/api/chat")) == 1


def test_a_reload_before_the_turn_was_named_does_not_ask_twice(chat: Chat, double: Double) -> None:
    named = Gate()
    double.plays(named, accepted(), deltas("Here."), done())
    expect(chat.ask("Hello?").status).to_have_text("Sending…")

    chat.page.reload()
    named.open()

    expect(chat.last.finished().text).to_have_text("Here.")
    expect(chat.turns).to_have_count(1)
    assert len(double.turns) == 1


def test_another_tab_follows_the_running_answer_from_its_start(chat: Chat, double: Double) -> None:
    rest = Gate()
    double.plays(accepted(), deltas("One, "), rest, deltas("two."), done())
    expect(chat.ask("Count").text).to_have_text("One,")

    other = chat.other_tab()
    other.go("/api/#key=test-key")
    expect(other.last.text).to_have_text("One,")
    rest.open()

    expect(other.last.finished().text).to_have_text("One, two.")
    other.check()


def test_an_answer_that_is_gone_says_so(chat: Chat, double: Double) -> None:
    lost = Gate()
    double.plays(accepted(), deltas("One, "), lost, Cut(), done())
    turn = chat.ask("Count")
    expect(turn.text).to_have_text("One,")

    double.turns.clear()
    lost.open()

    expect(turn.finished().problem).to_have_text("This answer is no longer available. Ask again for a new one.")


def test_a_damaged_event_ends_the_turn_instead_of_repeating_for_ever(chat: Chat, double: Double) -> None:
    double.plays(accepted(), deltas("One, "), Raw('event: delta\ndata: {"text": \n\n'))

    turn = chat.ask("Count").finished()

    expect(turn.problem).to_have_text("The answer arrived damaged. Ask again.")
    expect(turn.text).to_have_text("One,")


def test_an_event_this_page_does_not_know_changes_nothing(chat: Chat, double: Double) -> None:
    double.plays(accepted(), deltas("One, "), Send("confidence", {"value": 0.7}), deltas("two."), done())

    expect(chat.ask("Count").finished().text).to_have_text("One, two.")


def test_a_success_that_is_no_event_stream_counts_as_an_outage(chat: Chat, double: Double) -> None:
    double.refusals.append(Refusal(200, "", None, b"<h1>Welcome to the hotel network</h1>"))
    double.plays(answer("Now."))

    expect(chat.ask("Hello?").finished().text).to_have_text("Now.")
