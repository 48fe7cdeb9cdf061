"""Each incident is found by its alert in time, nothing else wakes anybody, and a healthy hour is quiet."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

import pytest

from infra.alerts.ask import ask
from infra.alerts.table import Alert
from tests.contract.alerts.conftest import ALERTS, minutes_of, paging
from tests.contract.alerts.incidents import HISTORIES, INCIDENTS, History, Incident, nine_hours
from tests.contract.alerts.replay import Replay, send
from tests.contract.alerts.shop import Shop
from tests.contract.alerts.weather import Weather
from tests.processes import Service

FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
DAYS_APART, DAY_SECONDS = 5, 86_400
"""Every replay has days of its own; no alert looks back so far."""
LAG_SECONDS = 300.0
SEEDS = range(3)


@dataclass(frozen=True)
class Told:
    """What was told of a history, and when it ended."""

    bodies: list[str]
    end: float


@cache
def told(history: History) -> Told:
    """A history, told once and replayed as often as it is needed."""
    replay = Replay(FIRST_DAY)
    with replay.living():
        history(Shop(replay, HISTORIES.index(history)))
    return Told(replay.taken(), replay.now)


@contextmanager
def after(history: History, insights: Service, place: int, seed: int) -> Iterator[tuple[Shop, Callable[[], float]]]:
    """A shop with this history, and a function that sends what it told since and gives the moment that it is there."""
    before, days = told(history), place * DAYS_APART
    replay = Replay(before.end)
    send(insights.url, before.bodies, days=days)

    def sent() -> float:
        send(insights.url, replay.taken(), days=days)
        return replay.now + days * DAY_SECONDS

    with replay.living():
        yield Shop(replay, seed + len(HISTORIES)), sent


def firing(insights: Service, alerts: list[Alert], at: float) -> list[str]:
    moment = datetime.fromtimestamp(at, UTC).isoformat()
    return [alert.name for alert in alerts if ask(insights.url, alert, at=moment).fires]


THOROUGH = pytest.mark.thorough
REPLAYED = [
    pytest.param(incident, id=incident.name.replace(" ", "-"), marks=[THOROUGH] if incident.thorough else [])
    for incident in INCIDENTS
]


@pytest.mark.parametrize("incident", REPLAYED)
def test_the_incident_is_found_in_time_and_no_other_alert_pages(
    insights: Service, incident: Incident, request: pytest.FixtureRequest
) -> None:
    """A thorough run also looks whether somebody is woken for another reason on the way there."""
    alert, thorough = ALERTS[incident.alert], "not thorough" not in request.config.option.markexpr
    others = [other for other in paging() if other is not alert]
    every = minutes_of(alert.frequency)
    with after(incident.before, insights, INCIDENTS.index(incident), seed=0) as (shop, sent):
        assert firing(insights, [alert], sent()) == [], "it is quiet before"
        found = 0
        for minutes in range(every, alert.found_within_minutes + 1, every):
            shop.minutes(round(every * 60 / incident.step_seconds), incident.weather, seconds=incident.step_seconds)
            now = sent()
            if firing(insights, [alert], now):
                found = minutes
            if found or thorough:
                assert firing(insights, others, now) == [], f"after {minutes} minutes"
            if found:
                break

        assert found, f"not found within {alert.found_within_minutes} minutes"
    sys.stdout.write(f"{incident.name}: {alert.name} after {found} of {alert.found_within_minutes} minutes\n")


@pytest.mark.parametrize("seed", [SEEDS[0], *(pytest.param(seed, marks=[THOROUGH]) for seed in SEEDS[1:])])
def test_a_healthy_hour_is_quiet(insights: Service, seed: int) -> None:
    with after(nine_hours, insights, len(INCIDENTS) + seed, 10 + seed) as (shop, sent):
        for _ in range(3):
            shop.minutes(20)
            assert firing(insights, list(ALERTS.values()), sent()) == []
        # Nothing came in for as long as telemetry may be late.
        assert firing(insights, list(ALERTS.values()), sent() + LAG_SECONDS) == []


@THOROUGH
def test_a_surge_that_is_dealt_with_wakes_nobody(insights: Service) -> None:
    with after(nine_hours, insights, len(INCIDENTS) + len(SEEDS), 20) as (shop, sent):
        shop.minutes(3, Weather(turns=200, throttled=0.1))
        shop.minutes(9)
        assert firing(insights, paging(), sent()) == []


def test_every_alert_has_an_incident() -> None:
    assert {incident.alert for incident in INCIDENTS} == set(ALERTS)
