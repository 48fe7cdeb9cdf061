"""The console against the whole of Spillway on local Azure."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.acceptance.stack import OPERATOR, USER, Stack, ask
from tests.acceptance.test_telemetry import SETTINGS
from tests.browser.operator import PATIENCE, Operator, context_for

pytestmark = pytest.mark.browser
TURNS = 6


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("console"), insights=True, durable=False, settings=SETTINGS)
    try:
        stack.start()
        with stack.client() as client:
            for number in range(TURNS):
                ask(client, f"Question {number}", lane="standard" if number % 2 else "interactive")
            stack.fault(kind="server_error", status=500)
            ask(client, "Doomed", lane="batch")
            stack.calm()
        yield stack
    finally:
        stack.stop()


@pytest.fixture
def operator(chromium: Browser, stack: Stack) -> Iterator[Operator]:
    operator = Operator(chromium.new_context(**context_for()), stack.url)
    yield operator
    operator.close()
    operator.check()


def test_every_tab_shows_what_the_app_itself_told(operator: Operator, stack: Stack) -> None:
    operator.go(f"key={OPERATOR}").settled()
    tile = operator.page.get_by_role("listitem").filter(has_text="Answered turns")
    for _ in range(30):  # telemetry takes up to five seconds to arrive
        if (
            str(TURNS) == tile.locator(".value").inner_text()
            and "No" not in operator.panel("Turns that ended").inner_text()
        ):
            break
        operator.page.wait_for_timeout(500)
        operator.button("Refresh now").click()
        operator.settled()
    expect(tile).to_contain_text(f"of {TURNS + 1} that ended")
    for tab in ("Throughput", "Latency", "Quality and responsible AI", "Cost", "Overview"):
        operator.tab(tab)
        expect(operator.page.locator(".panel .problem:visible")).to_have_count(0)
    operator.tab("Throughput")
    lanes = operator.panel("Lanes")
    expect(lanes.get_by_role("row", name="batch")).to_contain_text("1")
    expect(operator.panel("Deployments").get_by_role("row", name="chat-0")).to_be_visible()
    operator.tab("Latency")
    operator.page.get_by_role("button", name="Show the trace of").first.click()
    expect(operator.panel("Where the time of the chosen turn went")).to_contain_text("spillway.run")


def test_a_dead_letter_is_seen_and_asked_again(operator: Operator, stack: Stack) -> None:
    operator.go(f"key={OPERATOR}&tab=live")
    letters = operator.panel("Dead letters")
    expect(letters).to_contain_text("batch: 1", timeout=PATIENCE)
    letters.get_by_role("button", name="Ask again").click()

    expect(letters).to_contain_text("None.", timeout=PATIENCE)
    expect(operator.panel("Deployments")).to_contain_text("chat-1")
    replayed = [turn for turn in stack.turns() if turn.get("replay_of")]
    assert len(replayed) == 1


def test_a_callers_key_is_not_enough(operator: Operator) -> None:
    operator.go(f"key={USER}")

    expect(operator.page.get_by_role("alert").filter(has_text="not an operator’s")).to_be_visible()
    expect(operator.page.get_by_role("tab")).to_have_count(0)
