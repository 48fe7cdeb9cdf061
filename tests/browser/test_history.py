"""The session: remembered, left, cleared."""

import pytest
from playwright.sync_api import Route, expect

from tests.browser.chat import Chat
from tests.browser.conftest import OpenChat
from tests.browser.double import Double
from tests.browser.script import Gate, accepted, answer, deltas, done

pytestmark = pytest.mark.browser
SESSION = "localStorage.getItem('spillway.session')"


def returning(chat: Chat, session_id: str = "s-old") -> None:
    """Opens the page as someone whose browser remembers the session."""
    chat.page.evaluate(f"localStorage.setItem('spillway.session', {session_id!r})")
    chat.page.reload()


def test_a_returning_visitor_sees_the_conversation(chat: Chat, double: Double) -> None:
    double.remembers("First?", "**One.**")
    double.remembers("Second?", "Part of", state="expired")
    double.plays(answer("Three."))

    returning(chat)

    expect(chat.turns).to_have_count(2)
    expect(chat.turn(0).text.locator("strong")).to_have_text("One.")
    expect(chat.turn(0).sources).to_have_count(2)
    expect(chat.turn(1).problem).to_have_text("This question was not answered. Ask again.")
    chat.ask("Third?").finished()
    assert double.seen("POST", "/api/chat")[0].body["session_id"] == "s-old"


def test_a_long_history_opens_at_its_end(chat: Chat, double: Double) -> None:
    for number in range(60):
        double.remembers(f"Question {number}?", f"Answer {number}. " * 30)

    returning(chat)

    expect(chat.turns).to_have_count(60)
    expect(chat.turn(59).timeline).to_be_in_viewport()
    expect(chat.turn(0).text).not_to_be_in_viewport()


def test_an_answer_that_was_under_way_is_followed_from_the_history(chat: Chat, double: Double) -> None:
    rest = Gate()
    turn = double.remembers("Running?", "One, ", state="running")
    turn.steps = [rest, *deltas("two."), done()]

    returning(chat)
    expect(chat.last.text).to_have_text("One,")
    rest.open()

    expect(chat.last.finished().text).to_have_text("One, two.")


def test_a_session_whose_time_is_over_is_forgotten(chat: Chat, double: Double) -> None:
    double.plays(answer("Fresh."))

    returning(chat, "s-gone")

    expect(chat.page.get_by_role("heading", name="Hi, I’m WallEGPT.")).to_be_visible()
    chat.ask("Hello?").finished()
    assert "session_id" not in double.seen("POST", "/api/chat")[0].body


def test_a_new_conversation_starts_empty_and_with_a_new_session(chat: Chat, double: Double) -> None:
    double.plays(answer("One."))
    double.plays(answer("Two."))
    chat.ask("First?").finished()

    chat.button("New conversation").click()

    expect(chat.turns).to_have_count(0)
    expect(chat.box).to_be_focused()
    chat.ask("Second?").finished()
    assert "session_id" not in double.seen("POST", "/api/chat")[1].body
    assert double.seen("DELETE", "/api") == []


def test_a_new_conversation_ends_the_turn_that_nobody_reads_any_more(chat: Chat, double: Double) -> None:
    double.plays(accepted(), deltas("Half"), Gate(), done())
    expect(chat.ask("First?").text).to_have_text("Half")

    with chat.page.expect_response(lambda response: response.request.method == "DELETE"):
        chat.button("New conversation").click()

    expect(chat.turns).to_have_count(0)
    expect(chat.button("Send")).to_be_visible()
    assert double.turns["t-1"].state == "cancelled"


def test_clearing_the_history_asks_first_and_can_be_left(chat: Chat, double: Double) -> None:
    double.plays(answer("One."))
    chat.ask("First?").finished()

    chat.button("Clear history").click()
    dialog = chat.page.get_by_role("dialog", name="Clear the history?")
    expect(dialog.get_by_role("button", name="Keep it")).to_be_focused()
    chat.page.keyboard.press("Escape")

    expect(dialog).to_be_hidden()
    expect(chat.turns).to_have_count(1)
    expect(chat.button("Clear history")).to_be_focused()
    assert double.seen("DELETE", "/api/sessions") == []


def test_clearing_the_history_deletes_the_session(chat: Chat, double: Double) -> None:
    double.plays(answer("One."))
    chat.ask("First?").finished()

    chat.button("Clear history").click()
    chat.page.get_by_role("dialog").get_by_role("button", name="Clear").click()

    expect(chat.turns).to_have_count(0)
    assert [request.path for request in double.seen("DELETE", "/api/sessions")] == ["/api/sessions/s-1"]
    assert chat.page.evaluate(SESSION) is None
    chat.page.reload()
    expect(chat.turns).to_have_count(0)


def test_a_history_that_cannot_be_cleared_stays(chat: Chat, double: Double) -> None:
    double.plays(answer("One."))
    chat.ask("First?").finished()

    chat.context.set_offline(True)
    chat.button("Clear history").click()
    chat.page.get_by_role("dialog").get_by_role("button", name="Clear").click()

    expect(chat.page.get_by_role("alert")).to_contain_text("The history could not be cleared. Try again in a moment.")
    expect(chat.turns).to_have_count(1)


def test_a_history_that_cannot_be_loaded_can_be_tried_again(chat: Chat, double: Double) -> None:
    double.remembers("First?", "One.")
    chat.page.route("**/api/sessions/*", lambda route: route.fulfill(status=503, body="{}"))
    returning(chat)
    expect(chat.page.get_by_role("alert")).to_contain_text("The assistant cannot be reached right now.")

    chat.page.unroute("**/api/sessions/*")
    chat.button("Try again").click()

    expect(chat.turns).to_have_count(1)
    expect(chat.page.get_by_role("alert")).to_be_hidden()


def test_a_question_asked_while_the_history_loads_comes_after_it(chat: Chat, double: Double) -> None:
    double.remembers("First?", "One.")
    double.plays(answer("Two."))
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    chat.page.route("**/api/sessions/*", hold)
    returning(chat)
    expect(chat.page.get_by_text("Loading your conversation")).to_be_visible()

    chat.box.fill("Second?")
    chat.box.press("Enter")
    held[0].continue_()

    expect(chat.turns).to_have_count(2)
    expect(chat.turn(0).text).to_have_text("One.")
    expect(chat.turn(1).finished().text).to_have_text("Two.")


def test_loading_the_history_late_does_not_disturb_the_turn_under_way(chat: Chat, double: Double) -> None:
    rest = Gate()
    double.remembers("First?", "One.")
    double.plays(accepted(), deltas("Two "), rest, deltas("three."), done())
    chat.page.route("**/api/sessions/*", lambda route: route.fulfill(status=503, body="{}"))
    returning(chat)
    expect(chat.button("Try again")).to_be_visible()
    expect(chat.ask("Second?").text).to_have_text("Two")

    chat.page.unroute("**/api/sessions/*")
    chat.button("Try again").click()
    expect(chat.turns).to_have_count(2)
    rest.open()

    expect(chat.turn(1).finished().text).to_have_text("Two three.")
    assert len(double.seen("POST", "/api/chat")) == 1


def test_what_other_hands_wrote_into_the_storage_does_no_harm(chat: Chat) -> None:
    for damaged in ("{", "null", "[]", '{"question": 5}', '"text"'):
        chat.page.evaluate("value => sessionStorage.setItem('spillway.turn', value)", damaged)
        chat.go("/api/")
        expect(chat.turns).to_have_count(0)


def test_a_browser_without_storage_can_still_chat(open_chat: OpenChat, double: Double) -> None:
    double.plays(answer("One."))
    chat = open_chat("/api/")
    denied = """for (const name of ["localStorage", "sessionStorage"]) {
      Object.defineProperty(window, name, { get() { throw new DOMException("denied", "SecurityError"); } });
    }"""
    chat.context.add_init_script(denied)

    chat.go("/api/?again#key=test-key")

    expect(chat.ask("Hello?").finished().text).to_have_text("One.")
