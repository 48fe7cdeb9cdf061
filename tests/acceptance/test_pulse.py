"""The minute timer on two instances: each part once per tick, sums that equal the turns, canaries that are no turns."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from azure.cosmos import CosmosClient, DatabaseProxy

from infra.alerts.ask import ask as ask_alert
from infra.alerts.table import load
from shared.pulse.roll_up_turns import COUNTS
from shared.telemetry import names
from tests.acceptance.stack import MODEL, OTHER, STORE_KEY, Stack, ask, deployments
from tests.contract.alerts.replay import Replay
from tests.contract.alerts.shop import Shop
from tests.contract.alerts.weather import Weather
from tests.contract.insights.client import Insights

SETTINGS = {
    "SPILLWAY_CANARY_SECONDS": "60",
    "SPILLWAY_SAMPLE_SHARE": "0",
    "SPILLWAY_PRICES": json.dumps({MODEL: {"input": 0.15, "output": 0.6}}),
}
SHAPES = """
union (customMetrics | project name, customDimensions), (customEvents | project name, customDimensions)
| where name startswith "spillway."
| where name !startswith "spillway.context" and name !startswith "spillway.relay"
| project name, tostring(customDimensions)
"""
SPARE = "chat-spare"
MOST_SECONDS = 90.0
"""A tick that the timer took just before the last turn ended is made up for by the next."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    models = deployments(count=1)
    # A deployment of a model that nobody asks for.
    models["deployments"].append({**models["deployments"][0], "name": SPARE, "model": "gpt-4o"})
    stack = Stack(tmp_path_factory.mktemp("pulse"), models=models, insights=True, settings=SETTINGS)
    try:
        stack.start()
        stack.start_app("second")
        yield stack
    finally:
        stack.stop()


@pytest.fixture(scope="module")
def store(stack: Stack) -> Iterator[DatabaseProxy]:
    with CosmosClient(stack.parts["store"].url, credential=STORE_KEY) as store:
        yield store.get_database_client("spillway")


def metrics(store: DatabaseProxy, kind: str) -> list[dict[str, Any]]:
    query = "SELECT * FROM c WHERE c.kind = @kind"
    parameters: list[dict[str, object]] = [{"name": "@kind", "value": kind}]
    container = store.get_container_client("metrics")
    return list(container.query_items(query, parameters=parameters, enable_cross_partition_query=True))


def replayed() -> set[tuple[str, str]]:
    """Metrics and events with their dimensions as the replays of incidents have them."""
    replay = Replay(0.0)
    with replay.living():
        Shop(replay, 1).minutes(5, Weather(turns=30, failing=0.1, blocked=0.1, throttled=0.2, overloaded=1))
    envelopes = json.loads(f"[{','.join(replay.taken())}]")
    found = set()
    for envelope in envelopes:
        data = envelope["data"]["baseData"]
        name = data["metrics"][0]["name"] if "metrics" in data else data.get("name")
        found |= {(name, key) for key in data.get("properties") or {}}
    return found


def wait_until(condition: Callable[[], bool], *, meanwhile: Callable[[], None]) -> None:
    until = time.monotonic() + MOST_SECONDS
    while not condition():
        assert time.monotonic() < until
        meanwhile()
        time.sleep(0.2)


def beat(stack: Stack) -> None:
    """Makes the timer fire on both instances, as it does by itself at the full minute."""
    for part in ("app", "second"):
        httpx2.post(f"{stack.parts[part].url}/admin/functions/keep_pulse", json={}).raise_for_status()


def billed(rows: list[dict[str, Any]]) -> Counter[tuple[str, ...]]:
    """Every count by tenant, model and lane."""
    sums: Counter[tuple[str, ...]] = Counter()
    for row in rows:
        for name in COUNTS:
            sums[row["tenant"], row["model"], row["lane"], name] += row[name]
    return +sums


def owed(turns: list[dict[str, Any]]) -> Counter[tuple[str, ...]]:
    """The same from the turns themselves."""
    sums: Counter[tuple[str, ...]] = Counter()
    for turn in turns:
        key = (turn["tenant"], turn["model"] or MODEL, turn["lane"])
        usage = turn["usage"] or {}
        counts = {name: usage[name] for name in COUNTS if name in usage} | {"turns": 1, turn["state"]: 1}
        for name, count in counts.items():
            sums[*key, name] += count
    return +sums


def test_turns_are_billed_once_each_tick_is_done_once_and_alerts_run_on_what_the_app_says(
    stack: Stack, store: DatabaseProxy
) -> None:
    with stack.client() as client, stack.client(OTHER) as other:
        for lane in ("interactive", "standard", "batch"):
            ask(client, lane=lane)
        ask(other)
        stack.fault(kind="content_filter")
        ask(client)
        stack.calm()
    users_calls = len(stack.calls("chat-0"))
    turns = stack.turns()
    assert {turn["state"] for turn in turns} == {"succeeded", "failed"}

    wait_until(
        lambda: billed([row for minute in metrics(store, "turns") for row in minute["rows"]]) == owed(turns),
        meanwhile=lambda: beat(stack),
    )
    wait_until(lambda: len(stack.calls(SPARE)) > 0, meanwhile=lambda: beat(stack))
    beat(stack)
    for part in ("app", "second"):
        assert stack.parts[part].stop() == 0

    ticks = Counter(tick["id"].partition("-")[0] for tick in metrics(store, "tick"))
    canaries = len(stack.calls(SPARE))
    assert stack.turns() == turns, "a canary is no turn"
    insights = Insights(stack.parts["insights"].url)
    told = dict(
        insights.rows(
            "customMetrics | where name startswith 'spillway.' | summarize value = sum(value), looks = sum(valueCount)"
            " by name | extend amount = iff(name startswith 'spillway.backlog', todouble(looks), value)"
            " | project name, amount"
        )
    )
    real = {(name, key) for name, dimensions in insights.rows(SHAPES) for key in json.loads(dimensions)}
    insights.close()

    assert told[names.BACKLOG_TURNS.name] == 3 * ticks["minute"], "each lane is looked at once a tick"
    assert told[names.CANARIES.name] >= canaries > 0
    assert canaries == ticks["canary"], "the deployment is asked once a tick, whichever instances the timer fires on"
    assert told[names.ATTEMPTS_MADE.name] == users_calls
    assert told[names.TURNS.name] == len(turns)
    assert told[names.LEDGER_OPERATIONS.name] > 0
    assert len(real) > 20
    assert real - replayed() == set(), "the replays of incidents have every dimension that the app sends"
    found = [ask_alert(stack.parts["insights"].url, alert) for alert in load()]
    assert [one.alert.name for one in found if one.fires] == []
