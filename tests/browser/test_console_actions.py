"""What operators do in the console, and who may: lanes, deployments, dead letters, keys."""

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import OpenConsole
from tests.browser.console_double import KEY, ConsoleDouble, ConsoleServer, result
from tests.browser.operator import Operator, context_for
from tests.browser.script import Refusal

pytestmark = pytest.mark.browser
LETTER = {"sequence_number": 7, "turn_id": "t" * 32, "reason": "MaxDeliveryCountExceeded", "tenant": "contoso"}


def test_a_lane_is_paused_after_a_question_and_resumed_without(
    open_console: OpenConsole, console_double: ConsoleDouble
) -> None:
    operator = open_console(f"key={KEY}&tab=live")
    operator.button("Pause batch").click()
    expect(operator.page.get_by_role("dialog")).to_contain_text("Pause the lane batch?")
    operator.button("Leave it").click()
    expect(operator.button("Pause batch")).to_be_focused()
    assert console_double.done("/api/operations/lanes/batch") == []

    operator.button("Pause batch").click()
    operator.button("Pause").click()

    expect(operator.button("Resume batch")).to_be_focused()
    expect(operator.page.get_by_role("status").filter(has_text="The lane batch is paused.")).to_be_attached()
    operator.button("Resume batch").click()
    expect(operator.button("Pause batch")).to_be_visible()
    assert console_double.done("/api/operations/lanes/batch") == [{"paused": True}, {"paused": False}]


def test_a_deployment_is_drained_and_taken_back(open_console: OpenConsole, console_double: ConsoleDouble) -> None:
    operator = open_console(f"key={KEY}&tab=live")
    expect(operator.panel("Deployments")).to_contain_text("cooling 3.2 s")
    expect(operator.panel("Deployments")).to_contain_text("fails everybody")
    operator.button("Drain chat-0").click()
    operator.button("Drain").click()

    expect(operator.page.get_by_role("row", name="chat-0")).to_contain_text("draining")
    operator.button("Take back chat-0").click()
    expect(operator.button("Drain chat-0")).to_be_visible()
    assert console_double.done("/api/operations/deployments/chat-0") == [{"draining": True}, {"draining": False}]


def test_an_action_that_fails_says_so_and_changes_nothing(
    open_console: OpenConsole, console_double: ConsoleDouble
) -> None:
    console_double.refusals["operations/lanes/batch"] = Refusal(503, "unavailable")
    operator = open_console(f"key={KEY}&tab=live")
    operator.button("Pause batch").click()
    operator.button("Pause").click()

    expect(operator.page.locator("#view .problem").first).to_contain_text("That did not work.")
    expect(operator.button("Pause batch")).to_be_visible()


def test_without_operator_routes_the_controls_are_gone_and_it_says_why(
    open_console: OpenConsole, console_double: ConsoleDouble
) -> None:
    console_double.operates = False
    operator = open_console(f"key={KEY}&tab=live")

    expect(operator.panel("Lanes")).to_contain_text("does not offer lane and deployment actions yet")
    expect(operator.panel("Deployments")).to_contain_text("chat-0")
    expect(operator.page.get_by_role("button", name="Drain")).to_have_count(0)
    expect(operator.page.get_by_role("button", name="Pause")).to_have_count(0)


def test_live_state_follows_without_being_asked(open_console: OpenConsole, console_double: ConsoleDouble) -> None:
    operator = open_console(f"key={KEY}&tab=live")
    expect(operator.panel("Lanes")).to_contain_text("40")

    console_double.lanes["standard"]["waiting"] = 12345

    expect(operator.panel("Lanes")).to_contain_text("12,345", timeout=10_000)


def test_dead_letters_are_asked_again_one_by_one_or_all(
    open_console: OpenConsole, console_double: ConsoleDouble
) -> None:
    console_double.letters["batch"] = [
        LETTER,
        {**LETTER, "sequence_number": 8, "turn_id": "u" * 32},
        {**LETTER, "sequence_number": 9, "turn_id": "v" * 32},
    ]
    operator = open_console(f"key={KEY}&tab=live")
    operator.button("Ask again " + "t" * 32).click()
    expect(operator.panel("Dead letters")).not_to_contain_text("t" * 32)
    operator.button("Ask all again").click()

    expect(operator.panel("Dead letters")).to_contain_text("None.")
    assert [body["sequence_numbers"] for body in console_double.done("/api/dead-letters/replay")] == [[7], [8, 9]]


def test_without_a_query_endpoint_it_shows_the_live_state_and_leads_to_the_portal(
    open_console: OpenConsole, console_double: ConsoleDouble
) -> None:
    console_double.queries, console_double.portal_url = False, "https://portal.azure.com/#@/resource/w/workbook"
    operator = open_console()

    expect(operator.page.get_by_role("tab")).to_have_text(["Live"])
    expect(operator.panel("Lanes")).to_contain_text("interactive")
    expect(operator.page.get_by_role("link", name="Open in the Azure portal")).to_have_attribute(
        "href", console_double.portal_url
    )
    expect(operator.page.get_by_role("alert").filter(has_text="workbook")).to_be_visible()
    assert not [one for one in console_double.seen if "/queries/" in one.path]


def test_a_key_is_asked_for_kept_for_the_tab_and_apart_from_the_chats(
    open_console: OpenConsole, console_double: ConsoleDouble
) -> None:
    operator = open_console("")
    field = operator.page.get_by_label("Enter an operator’s key")
    expect(field).to_be_focused()
    field.fill("user")
    field.press("Enter")
    expect(operator.page.get_by_role("alert").filter(has_text="not an operator’s")).to_be_visible()
    field.fill(KEY)
    field.press("Enter")
    operator.settled()

    stored = operator.page.evaluate("[Object.keys(sessionStorage), Object.keys(localStorage), document.cookie]")
    assert stored == [["spillway.operator-key"], [], ""]
    assert KEY not in operator.page.url
    operator.page.reload()
    operator.settled()


def test_the_shell_is_open_and_holds_nothing(
    chromium: Browser, console_server: ConsoleServer, console_double: ConsoleDouble
) -> None:
    operator = Operator(chromium.new_context(**context_for()), console_server.url)
    operator.go("")
    expect(operator.page.get_by_label("Enter an operator’s key")).to_be_visible()

    assert console_double.seen == []
    assert not any(words in operator.page.content() for words in ("customEvents", "contoso"))
    operator.close()
    operator.check()


def test_text_from_telemetry_is_never_markup(open_console: OpenConsole, console_double: ConsoleDouble) -> None:
    evil = '<img src=x onerror="document.title=1">'
    console_double.results["overview-attention"] = result(
        "What happened:string, Times:long, Last time:datetime", [evil, 1, evil]
    )
    console_double.results["overview-verdict"] = result(
        "what:string, value:string, note:string, state:string", [evil, evil, evil, evil]
    )
    console_double.results["parameter-Tenant"] = result("tenant:string", [evil])
    operator = open_console().settled()

    expect(operator.panel("What the app warned of")).to_contain_text(evil)
    assert operator.page.locator("#console img").count() == 0
