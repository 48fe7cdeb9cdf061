"""Thumbs, comments, copying, and where the time went."""

import time

import pytest
from playwright.sync_api import expect

from tests.browser.chat import Answer, Chat
from tests.browser.double import Double
from tests.browser.script import STEPS, answer

pytestmark = pytest.mark.browser


@pytest.fixture
def turn(chat: Chat, double: Double) -> Answer:
    """A finished answer."""
    double.plays(answer("Two to **four** days."))
    return chat.ask("How long is delivery?").finished()


def ratings(double: Double) -> list[dict[str, str]]:
    """The feedback the server got."""
    return [request.body for request in double.seen("POST", "/api/chat/t-1/feedback")]


def test_a_thumb_is_sent_at_once_and_a_comment_may_follow(turn: Answer, double: Double) -> None:
    turn.button("Bad answer").click()
    expect(turn.button("Bad answer")).to_have_attribute("aria-pressed", "true")
    assert ratings(double) == [{"rating": "down"}]

    turn.element.get_by_label("What should be better?").fill("The price is missing.")
    turn.button("Send").click()

    expect(turn.element.get_by_text("Thank you, your comment was sent.")).to_be_visible()
    assert ratings(double)[1] == {"rating": "down", "comment": "The price is missing."}
    expect(turn.element.get_by_role("textbox")).to_be_hidden()


def test_the_comment_can_be_left_out(turn: Answer, double: Double) -> None:
    turn.button("Good answer").click()
    box = turn.element.get_by_label("What was good about it?")

    box.press("Escape")

    expect(box).to_be_hidden()
    expect(turn.button("Good answer")).to_be_focused()
    assert ratings(double) == [{"rating": "up"}]


def test_a_mind_can_be_changed(turn: Answer, double: Double) -> None:
    turn.button("Good answer").click()
    turn.button("Bad answer").click()

    expect(turn.button("Good answer")).to_have_attribute("aria-pressed", "false")
    assert ratings(double) == [{"rating": "up"}, {"rating": "down"}]


def test_a_rating_that_could_not_be_sent_is_not_shown_as_given(chat: Chat, turn: Answer) -> None:
    chat.context.set_offline(True)

    turn.button("Good answer").click()

    expect(turn.element.get_by_text("Your feedback could not be sent.")).to_be_visible()
    expect(turn.button("Good answer")).to_have_attribute("aria-pressed", "false")


def test_a_rating_is_remembered_with_the_history(chat: Chat, turn: Answer) -> None:
    turn.button("Good answer").click()
    expect(turn.button("Good answer")).to_have_attribute("aria-pressed", "true")

    chat.page.reload()

    expect(chat.last.button("Good answer")).to_have_attribute("aria-pressed", "true")


def test_copy_puts_the_answer_on_the_clipboard(chat: Chat, turn: Answer) -> None:
    chat.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=chat.origin)

    turn.button("Copy answer").click()

    chat.page.wait_for_timeout(0)
    expect(chat.page.locator("#announcements")).to_contain_text("Answer copied")
    assert chat.page.evaluate("navigator.clipboard.readText()") == "Two to **four** days."


def test_where_the_time_went_is_a_table_whose_bars_follow_one_another(turn: Answer) -> None:
    summary = turn.timeline.locator("summary")
    expect(summary).to_have_text("Where the time went: 1.84 s")
    expect(turn.element.get_by_role("table")).to_be_hidden()

    summary.press("Enter")

    rows = turn.element.get_by_role("table").get_by_role("row")
    expect(rows).to_have_count(5)
    expect(rows.nth(3)).to_have_text("First token120 ms520 ms28 %")
    expect(rows.nth(4)).to_have_text("Streaming640 ms1.20 s65 %")
    boxes = [turn.element.locator(".bar").nth(index).bounding_box() for index in range(4)]
    admission, context, first_token, streaming = (box for box in boxes if box)
    assert admission["width"] >= 3
    assert context["x"] + context["width"] == pytest.approx(first_token["x"], abs=3)
    assert first_token["x"] + first_token["width"] == pytest.approx(streaming["x"], abs=1)
    assert streaming["width"] / first_token["width"] == pytest.approx(1200 / 520, rel=0.02)


def test_steps_of_the_context_lie_under_it_and_say_which_one_was_waited_for(chat: Chat, double: Double) -> None:
    start = {"name": "start", "start_ms": 0.0, "duration_ms": 40.0}
    queue = {"name": "queue", "start_ms": 40.0, "duration_ms": 60.0, "estimated": True}
    context = {"name": "context", "start_ms": 100.0, "duration_ms": 120.0}
    double.plays(
        answer(
            "Yes.", timeline={"total_ms": 220, "stages": [start, queue, context], "steps": STEPS, "cold_start": True}
        )
    )
    turn = chat.ask("Really?").finished()
    turn.timeline.locator("summary").press("Enter")
    rows = turn.element.get_by_role("table").get_by_role("row")

    expect(rows.get_by_role("rowheader")).to_have_text(
        [
            "Waking up first answer of this process",
            "In line estimated",
            "Context",
            "History meanwhile",
            "Embedding in knowledge",
            "Knowledge waited for",
        ]
    )
    stage, step = (turn.element.locator(".bar").nth(index).bounding_box() for index in (2, 5))
    assert stage is not None
    assert step is not None
    assert step["x"] == pytest.approx(stage["x"], abs=1)
    assert step["height"] < stage["height"]


def test_a_question_says_when_it_was_sent(chat: Chat, double: Double) -> None:
    double.plays(answer("Yes."))
    chat.ask("Really?").finished()
    (request,) = double.seen("POST", "/api/chat")

    assert time.time() - 60 < float(request.headers["x-spillway-sent-at"]) / 1000 <= time.time()


def test_the_times_of_an_older_answer_are_fetched_when_they_are_opened(
    chat: Chat, turn: Answer, double: Double
) -> None:
    chat.page.reload()
    older = chat.last
    expect(older.timeline.locator("summary")).to_have_text("Where the time went")
    assert double.seen("GET", "/api/chat/t-1") == []

    older.timeline.locator("summary").click()

    expect(older.timeline.locator("summary")).to_have_text("Where the time went: 1.84 s")
    expect(older.element.get_by_role("table")).to_be_visible()


def test_times_that_cannot_be_fetched_say_so(chat: Chat, turn: Answer) -> None:
    chat.page.reload()
    expect(chat.turns).to_have_count(1)
    chat.context.set_offline(True)

    chat.last.timeline.locator("summary").click()

    expect(chat.last.element.get_by_text("The times could not be loaded.")).to_be_visible()


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (0, "0 ms"),
        (6.44, "6.4 ms"),
        (9.96, "10 ms"),
        (999.4, "999 ms"),
        (999.6, "1.00 s"),
        (9_994, "9.99 s"),
        (12_345, "12.3 s"),
        (99_960, "1 min 40 s"),
        (3_600_000, "1 h"),
    ],
)
def test_durations_are_as_exact_as_it_is_of_use(modules: Chat, milliseconds: float, words: str) -> None:
    assert modules.module("words", "({ durationWords }, value) => durationWords(value)", milliseconds) == words
