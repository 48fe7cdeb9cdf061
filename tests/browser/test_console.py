"""The console's views in a real browser against a scripted server: what they show, in every look and by keyboard."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import OpenConsole
from tests.browser.console_double import KEY, ConsoleDouble, ConsoleServer, result
from tests.browser.operator import Operator, context_for
from tests.browser.script import Refusal
from tests.browser.test_accessibility import RULES, SIDEWAYS

pytestmark = pytest.mark.browser
LOOKS = [
    pytest.param({"color_scheme": scheme, "viewport": {"width": width, "height": 900}}, id=f"{scheme}-{width}")
    for scheme, width in (("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390))
]
TARGETS = "button, summary, input:not([type=checkbox]), select, label.choice"
SMALL_TARGETS = """(targets) => [...document.querySelectorAll(targets)]
  .filter((element) => element.checkVisibility())
  .map((element) => [element.getBoundingClientRect(), element])
  .filter(([box]) => box.width < 24 || box.height < 24)
  .map(([box, element]) => `${element.outerHTML.slice(0, 80)}: ${box.width} x ${box.height}`)"""
LETTER = {"sequence_number": 7, "turn_id": "t" * 32, "reason": "MaxDeliveryCountExceeded", "tenant": "contoso"}


@pytest.fixture(scope="module")
def axe(node_modules: Path) -> str:
    return (node_modules / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def is_clean(operator: Operator, axe: str) -> None:
    """No violation of the accessibility rules, nothing that scrolls sideways, nothing too small to hit."""
    operator.page.evaluate(axe)
    found = operator.page.evaluate("(rules) => axe.run(document, rules)", RULES)
    violations = [f"{one['id']}: {one['nodes'][0]['html'][:150]}" for one in found["violations"]]

    assert violations == []
    assert operator.page.evaluate(SIDEWAYS) == 0
    assert operator.page.evaluate(SMALL_TARGETS, TARGETS) == []


@pytest.mark.parametrize("look", LOOKS)
def test_every_view_is_accessible_in_light_and_dark_on_desktop_and_phone(
    open_console: OpenConsole, console_double: ConsoleDouble, axe: str, look: dict[str, Any]
) -> None:
    console_double.letters["batch"] = [LETTER]
    operator = open_console(**look).settled()
    is_clean(operator, axe)
    operator.page.locator("summary").first.click()
    is_clean(operator, axe)
    operator.tab("Latency")
    operator.page.get_by_role("button", name="Trace").first.click()
    expect(operator.page.get_by_text("chat gpt-4o-mini")).to_be_visible()
    is_clean(operator, axe)
    operator.tab("Live")
    expect(operator.button("Ask again " + "t" * 32)).to_be_visible()
    expect(operator.button("Pause batch")).to_be_visible()
    is_clean(operator, axe)
    operator.button("Pause batch").click()
    is_clean(operator, axe)


def test_tiles_say_value_note_and_state_without_needing_colour(open_console: OpenConsole) -> None:
    operator = open_console().settled()
    tiles = operator.page.get_by_role("listitem").filter(has=operator.page.get_by_role("heading"))

    expect(tiles).to_have_count(5)
    expect(tiles.nth(0)).to_contain_text("87.5 %")
    expect(tiles.nth(0).get_by_role("img", name="Good")).to_be_visible()
    expect(tiles.nth(2).get_by_role("img", name="Bad")).to_be_visible()
    expect(tiles.nth(3)).to_contain_text("HOLD")


def test_a_chart_is_drawn_described_and_can_be_read_as_a_table(open_console: OpenConsole) -> None:
    operator = open_console().settled()
    panel = operator.panel("Turns that ended")

    expect(panel.get_by_role("img")).to_have_attribute(
        "aria-label", "Turns that ended. Chart. succeeded: last 11, most 16; failed: last 12, most 17."
    )
    drawn = panel.locator("canvas").evaluate(
        "(canvas) => new Set(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data).size"
    )
    assert drawn > 20, "the canvas is not empty"
    panel.get_by_role("button", name="As table").click()

    expect(panel.get_by_role("row")).to_have_count(61)
    panel.get_by_role("button", name="As chart").click()
    expect(panel.locator("canvas")).to_be_visible()


def test_a_confidence_band_is_filled_and_no_series_of_its_own(
    open_console: OpenConsole, console_double: ConsoleDouble
) -> None:
    rows = [[f"2026-11-28T15:{minute:02d}:00Z", 0.5, 0.75, 1.0] for minute in range(20)]
    console_double.results["quality-scores"] = result("timestamp:datetime, lower:real, mean:real, upper:real", *rows)
    operator = open_console(f"key={KEY}&tab=quality").settled()
    operator.page.get_by_label("Time range").select_option("From … to …")
    operator.page.get_by_label("From, UTC").fill("2026-11-28T15:00")
    operator.page.get_by_label("Until, UTC").fill("2026-11-28T15:20")
    operator.page.get_by_label("Until, UTC").press("Tab")
    operator.settled()
    panel = operator.panel("answered: mean with its 95 % confidence band")

    expect(panel.get_by_role("img")).to_have_attribute("aria-label", re.compile("lower: last 0.5.*; mean: .*; upper: "))
    colours = panel.locator("canvas").evaluate("""(canvas) => {
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      const counts = new Map();
      for (let i = 0; i < data.length; i += 4) {
        const colour = `${data[i]},${data[i + 1]},${data[i + 2]},${data[i + 3]}`;
        counts.set(colour, (counts.get(colour) ?? 0) + 1);
      }
      const most = [...counts.values()].sort((one, other) => other - one);
      return most.slice(0, 2).map((count) => count / (data.length / 4));
    }""")
    assert colours[1] > 0.1, "an area between the bounds has a colour of its own"


def test_filters_are_sent_as_values_and_nothing_else_is(
    open_console: OpenConsole, console_double: ConsoleDouble
) -> None:
    operator = open_console().settled()
    operator.page.get_by_label("Time range").select_option("Last day")
    operator.page.locator("summary", has_text="Tenant").click()
    operator.page.get_by_role("checkbox", name="fabrikam").check()
    operator.page.keyboard.press("Escape")
    operator.settled()

    expect(operator.page.locator("summary", has_text="Tenant")).to_contain_text("fabrikam")
    asked = console_double.asked("overview-turns")
    assert asked[0]["Tenant"] == ["value::all"]
    assert (asked[-1]["Tenant"], asked[-1]["TimeRange"]) == (["fabrikam"], {"durationMs": 86_400_000})
    assert all(set(one.body) == {"parameters"} for one in console_double.seen if "/queries/" in one.path)
    operator.page.locator("summary", has_text="Tenant").click()
    operator.page.get_by_role("checkbox", name="fabrikam").uncheck()
    expect(operator.page.get_by_role("checkbox", name="All").first).to_be_checked()


def test_two_moments_can_be_chosen(open_console: OpenConsole, console_double: ConsoleDouble) -> None:
    operator = open_console().settled()
    operator.page.get_by_label("Time range").select_option("From … to …")
    operator.page.get_by_label("From, UTC").fill("2026-11-28T10:00")
    operator.page.get_by_label("Until, UTC").fill("2026-11-28T11:30")
    operator.page.get_by_label("Until, UTC").press("Tab")
    operator.settled()

    chosen = {"startTime": "2026-11-28T10:00:00Z", "endTime": "2026-11-28T11:30:00Z"}
    assert console_double.asked("overview-turns")[-1]["TimeRange"] == chosen


def test_a_row_of_the_slowest_turns_opens_its_trace(open_console: OpenConsole, console_double: ConsoleDouble) -> None:
    operator = open_console(f"key={KEY}&tab=latency").settled()
    trace = operator.panel("Where the time of the chosen turn went")
    expect(trace).to_be_hidden()
    assert console_double.asked("latency-trace") == []

    operator.page.get_by_role("button", name="Show the trace of").nth(1).click()

    expect(trace).to_contain_text("spillway.run")
    assert console_double.asked("latency-trace")[-1]["Trace"] == "b" * 32
    expect(operator.page.get_by_role("button", name="Show the trace of").nth(1)).to_have_attribute(
        "aria-pressed", "true"
    )
    expect(operator.page.get_by_role("button", name="Show the trace of").nth(1)).to_be_focused()


def test_tabs_are_worked_by_keyboard_and_kept_in_the_address(open_console: OpenConsole) -> None:
    operator = open_console().settled()
    operator.page.get_by_role("tab", name="Overview").focus()
    operator.page.keyboard.press("ArrowRight")
    expect(operator.page.get_by_role("tab", name="Throughput")).to_be_focused()
    operator.page.keyboard.press("End")

    expect(operator.page.get_by_role("tab", name="Live")).to_have_attribute("aria-selected", "true")
    assert operator.page.url.endswith("#tab=live")
    operator.page.reload()
    expect(operator.page.get_by_role("tab", name="Live")).to_have_attribute("aria-selected", "true")


def test_a_query_that_fails_says_so_and_the_others_stay(
    open_console: OpenConsole, console_double: ConsoleDouble
) -> None:
    console_double.refusals["workbook/queries/overview-turns"] = Refusal(502, "query_failed")
    console_double.results["overview-attention"] = result("What happened:string", partial="more than 5 rows")
    operator = open_console().settled()

    expect(operator.panel("Turns that ended")).to_contain_text("Told by the server.")
    expect(operator.panel("What the app warned of")).to_contain_text("Part of the result is missing: more than 5 rows")
    expect(operator.page.get_by_text("87.5 %")).to_be_visible()
    del console_double.refusals["workbook/queries/overview-turns"]
    operator.button("Refresh now").click()
    expect(operator.panel("Turns that ended").locator("canvas")).to_be_visible()


def test_what_was_shown_stays_when_the_next_refresh_fails(
    open_console: OpenConsole, console_double: ConsoleDouble
) -> None:
    operator = open_console().settled()
    console_double.refusals["workbook/queries/overview-service"] = Refusal(503, "unavailable")

    operator.button("Refresh now").click()

    expect(operator.page.get_by_text("does not answer right now")).to_be_visible()
    expect(operator.page.get_by_text("87.5 %")).to_be_visible()


def test_an_empty_result_is_said_in_words(open_console: OpenConsole) -> None:
    operator = open_console(f"key={KEY}&tab=cost").settled()

    expect(operator.panel("Tenants, models and lanes")).to_contain_text("Nothing in this time range.")


def test_it_refreshes_by_itself_as_often_as_wanted(
    chromium: Browser, console_server: ConsoleServer, console_double: ConsoleDouble
) -> None:
    operator = Operator(chromium.new_context(**context_for()), console_server.url)
    operator.page.clock.install()
    operator.go(f"key={KEY}").settled()
    before = len(console_double.asked("overview-cost"))
    console_double.results["overview-cost"] = result(
        "what:string, value:string, note:string, state:string", ["Cost today", "99.99", "", "info"]
    )

    operator.page.clock.run_for(31_000)

    expect(operator.page.get_by_text("99.99")).to_be_visible()
    assert len(console_double.asked("overview-cost")) == before + 1
    operator.page.get_by_label("Refresh", exact=True).select_option("off")
    operator.page.clock.run_for(120_000)
    assert len(console_double.asked("overview-cost")) == before + 1
    operator.close()
    operator.check()
