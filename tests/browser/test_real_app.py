"""The page against the whole of Spillway on local Azure: what the scripted server plays, for real."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.acceptance.stack import OPERATOR, USER, Stack, deployments
from tests.browser.chat import Chat

pytestmark = pytest.mark.browser

RETURNS = {"id": "returns", "title": "Returns", "text": "You can return any item within 45 days of delivery."}
PATIENCE = 20_000


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    models = deployments(count=2, between_tokens_ms=40, answer_tokens=40)
    stack = Stack(tmp_path_factory.mktemp("page"), models=models)
    try:
        stack.start()
        with stack.client(OPERATOR) as operator:
            operator.put("/api/knowledge", json={"documents": [RETURNS]}).raise_for_status()
        yield stack
    finally:
        stack.stop()


@pytest.fixture
def chat(chromium: Browser, stack: Stack) -> Iterator[Chat]:
    chat = Chat(chromium.new_context(reduced_motion="reduce"), stack.url)
    chat.go(f"/api/#key={USER}")
    yield chat
    stack.calm()
    chat.close()
    chat.check()


def stored_answer(stack: Stack) -> str:
    newest = max(stack.turns(), key=lambda turn: float(turn["created_at"]))
    return str(newest["answer"])


def shown(text: str) -> str:
    """Text as the page shows it: Markdown has no leading or doubled spaces."""
    return " ".join(text.split())


def test_an_answer_streams_in_with_its_source_and_its_timeline(chat: Chat, stack: Stack) -> None:
    turn = chat.ask("Within how many days can I return an item?")

    expect(turn.element).to_have_attribute("aria-busy", "false", timeout=PATIENCE)
    expect(turn.text).to_contain_text("45 days")
    expect(turn.sources).to_have_text(["Returns"])
    expect(turn.element).to_contain_text("Where the time went")


def test_a_reload_in_mid_answer_goes_on_where_it_was(chat: Chat, stack: Stack) -> None:
    turn = chat.ask("Hello there")
    expect(turn.text).not_to_have_text("")
    chat.page.reload()

    again = chat.last

    expect(again.element).to_have_attribute("aria-busy", "false", timeout=PATIENCE)
    expect(again.text).to_have_text(shown(stored_answer(stack)))


def test_busy_deployments_make_the_turn_wait_and_the_page_says_so(chat: Chat, stack: Stack) -> None:
    for deployment in ("chat-0", "chat-1"):
        stack.fault(kind="quota", deployment=deployment, count=1, retry_after_ms=3000, headers="ms")
    turn = chat.ask("Hello again")

    expect(turn.status).to_contain_text("You are next", timeout=PATIENCE)
    expect(turn.element).to_have_attribute("aria-busy", "false", timeout=PATIENCE)
    expect(turn.text).to_have_text(shown(stored_answer(stack)))


def test_an_answer_that_breaks_off_is_begun_anew_without_leftovers(chat: Chat, stack: Stack) -> None:
    for deployment in ("chat-0", "chat-1"):
        stack.fault(kind="cut", deployment=deployment, count=1, after_tokens=5)
    turn = chat.ask("Hello once more")

    expect(turn.element).to_have_attribute("aria-busy", "false", timeout=PATIENCE)
    expect(turn.text).to_have_text(shown(stored_answer(stack)))


def test_a_stopped_turn_is_still_in_the_conversation_after_a_reload(chat: Chat, stack: Stack) -> None:
    turn = chat.ask("Stop me")
    expect(turn.text).not_to_have_text("")
    chat.box.press("Escape")
    expect(turn.element).to_have_attribute("aria-busy", "false", timeout=PATIENCE)
    chat.page.reload()

    expect(chat.turns).to_have_count(1)
    expect(chat.turns.first).to_contain_text("Stop me")
