"""The console in a real browser: waits until all telemetry is there, chooses the time of the run, reads it."""

import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
from playwright.sync_api import Page, expect, sync_playwright

from bench.lab.facts import Facts
from bench.lab.stack import OPERATOR_KEY, LabStack
from tests.browser.chromium import ARGUMENTS, executable
from tests.browser.operator import Operator, context_for

VIEW = {"width": 1280, "height": 900}
EVERYTHING = """union
  (customEvents | summarize n = count()), (dependencies | summarize n = count()), (requests | summarize n = count()),
  (customMetrics | where name in ("spillway.turns", "spillway.requests", "spillway.attempts", "spillway.tokens")
    | summarize n = tolong(sum(value)))"""
POLL_SECONDS, SETTLED_POLLS, MOST_POLLS = 4.0, 4, 60
"""Telemetry is there when nothing has come for three times the interval at which metrics are exported."""
ROWS = """table => {
  const heads = [...table.tHead.rows[0].cells].map((cell) => cell.textContent.trim());
  return [...table.tBodies[0].rows].map((row) =>
    Object.fromEntries([...row.cells].map((cell, index) => [heads[index], cell.textContent.trim()])));
}"""
Row = dict[str, str]


class ConsoleError(RuntimeError):
    """The console could not be looked at; the message says why."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the console shows, as texts by column.

    Attributes:
        lanes: Of the table of lanes.
        deployments: Of the table of deployments.
        models: Of the table of tenants, models and lanes.
        waits: Of the table of waits and first tokens by lane.
        tiles: Value and note by title.
        settled_s: How long after the last turn the telemetry was complete.
    """

    lanes: list[Row]
    deployments: list[Row]
    models: list[Row]
    waits: list[Row]
    tiles: dict[str, tuple[str, str]]
    settled_s: float


def look(stack: LabStack, facts: Facts, pictures: Path) -> Shown:
    """Reads the page and takes a picture of each of its tabs that was read.

    Raises:
        ConsoleError: There is no browser, or telemetry does not come to rest.
    """
    path = executable()
    if path is None:
        raise ConsoleError("There is no Chromium on this machine. Install it: bash tests/browser/install.sh")
    _settle(stack.parts["insights"].url)
    settled = time.time() - facts.ended
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=ARGUMENTS)
        operator = Operator(browser.new_context(**context_for(viewport=VIEW, color_scheme="light")), stack.url)
        operator.go(f"key={OPERATOR_KEY}").settled()
        _choose(operator.page, facts.began, time.time())
        shown = _read(operator, pictures, settled)
        operator.close()
        operator.check()
        browser.close()
    return shown


def _settle(url: str) -> None:
    """Waits until no telemetry has come for a while."""
    seen: list[Any] = []
    for _ in range(MOST_POLLS):
        reply = httpx2.post(f"{url}/v1/apps/local/query", json={"query": EVERYTHING}, timeout=60)
        reply.raise_for_status()
        seen.append(sorted(row[0] for row in reply.json()["tables"][0]["rows"]))
        if len(seen) > SETTLED_POLLS and all(one == seen[-1] for one in seen[-SETTLED_POLLS:]):
            return
        time.sleep(POLL_SECONDS)
    raise ConsoleError(f"Telemetry still comes after {POLL_SECONDS * MOST_POLLS:.0f} s: {seen[-3:]}")


def _choose(page: Page, began: float, ended: float) -> None:
    """Sets the time range to whole minutes around the run, as a person would."""
    start = datetime.fromtimestamp(math.floor(began / 60) * 60, UTC)
    stop = datetime.fromtimestamp(math.floor(ended / 60) * 60, UTC) + timedelta(minutes=1)
    page.locator("#every").select_option("0")
    page.get_by_label("Time range", exact=True).select_option("custom")
    page.get_by_label("From, UTC", exact=True).fill(start.strftime("%Y-%m-%dT%H:%M"))
    page.get_by_label("Until, UTC", exact=True).fill(stop.strftime("%Y-%m-%dT%H:%M"))


def _read(operator: Operator, pictures: Path, settled: float) -> Shown:
    tiles = _tab(operator, "Overview", pictures)
    found = {
        card.locator("h4").inner_text().strip(): (
            card.locator(".value").inner_text().strip(),
            card.locator(".note").inner_text().strip(),
        )
        for card in tiles.locator("li.tile").all()
    }
    throughput = _tab(operator, "Throughput", pictures)
    lanes, deployments = _rows(operator, "Lanes"), _rows(operator, "Deployments")
    expect(throughput.locator("canvas").first).to_be_visible()
    _tab(operator, "Latency", pictures)
    waits = _rows(operator, "Wait and first token by lane, as callers felt them")
    _tab(operator, "Cost", pictures)
    models = _rows(operator, "Tenants, models and lanes")
    return Shown(lanes, deployments, models, waits, found, round(settled, 1))


def _tab(operator: Operator, name: str, pictures: Path) -> Page:
    """Opens a tab and asks again, so that what is read was asked for with the chosen time range."""
    operator.tab(name)
    operator.page.evaluate("document.getElementById('announcements').textContent = ''")
    operator.button("Refresh now").click()
    expect(operator.page.locator("#announcements")).to_have_text("Refreshed.", timeout=60_000)
    operator.settled()
    expect(operator.page.locator(".panel .problem:visible")).to_have_count(0)
    operator.page.screenshot(path=pictures / f"{name.lower()}.png", full_page=True)
    return operator.page


def _rows(operator: Operator, title: str) -> list[Row]:
    rows: list[Row] = operator.panel(title).locator("table").evaluate(ROWS)
    return rows
