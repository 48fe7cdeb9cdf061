"""The pages against the whole of Spillway on local Azure: what the scripted servers play, for real."""

import subprocess
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.acceptance.stack import OPERATOR, USER, Stack, ask, deployments
from tests.browser.chat import Chat
from tests.browser.operator import Operator, context_for
from tests.npm import node_with
from tests.processes import ROOT

pytestmark = pytest.mark.browser

RETURNS = {"id": "returns", "title": "Returns", "text": "You can return any item within 45 days of delivery."}
PATIENCE = 20_000


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    models = deployments(count=2, between_tokens_ms=40, answer_tokens=40)
    stack = Stack(tmp_path_factory.mktemp("page"), models=models, settings={"SPILLWAY_MAX_RUNS": "4"}, insights=True)
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


SAMPLES = ROOT / "samples" / "clients"


@pytest.mark.javascript
def test_the_react_sample_shows_the_answer_as_it_comes_and_its_sources(chromium: Browser, stack: Stack) -> None:
    node_with(SAMPLES)
    subprocess.run(["npm", "run", "--silent", "bundle"], cwd=SAMPLES, check=True, timeout=60)
    page = chromium.new_page()
    page.route("**/sample", lambda route: route.fulfill(path=SAMPLES / "react" / "index.html"))
    page.route("**/main.js", lambda route: route.fulfill(path=SAMPLES / "dist" / "main.js"))
    page.goto(f"{stack.url}/sample#key={USER}")
    page.get_by_label("Question").fill("Within how many days can I return an item?")
    page.get_by_role("button", name="Ask").click()

    expect(page.get_by_text("answering")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("done")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("45 days")).to_be_visible()
    expect(page.get_by_role("listitem")).to_have_text(["Returns"])
    page.close()


@pytest.fixture
def operator(chromium: Browser, stack: Stack) -> Iterator[Operator]:
    operator = Operator(chromium.new_context(**context_for()), stack.url)
    yield operator
    operator.close()
    operator.check()


def test_every_tab_of_the_console_shows_what_the_app_itself_told(operator: Operator, stack: Stack) -> None:
    with stack.client() as client:
        stack.fault(kind="server_error", status=500)
        ask(client, "Doomed", lane="batch")
        stack.calm()
    operator.go(f"key={OPERATOR}").settled()
    tile = operator.page.get_by_role("listitem").filter(has_text="Answered turns")
    over = len(stack.turns())
    for _ in range(30):  # telemetry takes up to five seconds to arrive
        if f"of {over} that" in tile.inner_text() and operator.panel("Turns that ended").locator("canvas").count():
            break
        operator.page.wait_for_timeout(500)
        operator.button("Refresh now").click()
        operator.settled()
    expect(tile).to_contain_text(f"of {over} that ended")
    expect(tile.locator(".value")).to_have_text(str(sum(turn["state"] == "succeeded" for turn in stack.turns())))
    for tab in ("Throughput", "Quality and responsible AI", "Cost", "Latency"):
        operator.tab(tab)
        expect(operator.page.locator(".panel .problem:visible")).to_have_count(0)
    expect(operator.panel("Deployments and regions").get_by_role("row", name="chat-0")).to_be_visible()
    operator.page.get_by_role("button", name="Show the trace of").first.click()
    expect(operator.panel("Where the time of the chosen turn went")).to_contain_text("spillway.run")


def test_a_dead_letter_is_seen_in_the_console_and_asked_again(operator: Operator, stack: Stack) -> None:
    operator.go(f"key={OPERATOR}&tab=live")
    letters = operator.panel("Dead letters")
    expect(letters).to_contain_text("batch: 1", timeout=PATIENCE)
    letters.get_by_role("button", name="Ask again").click()

    expect(letters).to_contain_text("None.", timeout=PATIENCE)
    expect(operator.panel("Deployments")).to_contain_text("chat-1")
    assert len([turn for turn in stack.turns() if turn.get("replay_of")]) == 1


def test_a_callers_key_does_not_open_the_console(operator: Operator) -> None:
    operator.go(f"key={USER}")

    expect(operator.page.get_by_role("alert").filter(has_text="not an operator’s")).to_be_visible()
    expect(operator.page.get_by_role("tab")).to_have_count(0)
