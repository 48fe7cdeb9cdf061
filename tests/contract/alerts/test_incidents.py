"""Each incident is found by its alert in time, nothing else wakes anybody, and a healthy hour is quiet."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from infra.alerts.ask import ask
from infra.alerts.table import Alert
from tests.contract.alerts.conftest import ALERTS, minutes_of, paging
from tests.contract.alerts.incidents import INCIDENTS, Incident, nine_hours
from tests.contract.alerts.replay import Replay
from tests.contract.alerts.shop import Shop
from tests.processes import Service

FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
DAYS_APART = 10
LAG_SECONDS = 300.0


@contextmanager
def a_shop(insights: Service, place: int, seed: int) -> Iterator[Shop]:
    """A shop in days of its own; what it told is stored at the end."""
    begin = FIRST_DAY + place * DAYS_APART * 86_400
    replay = Replay(insights.ready["connection_string"], begin)
    try:
        with replay.living():
            yield Shop(replay, seed)
    finally:
        replay.close()


def firing(insights: Service, alerts: list[Alert], at: float) -> list[str]:
    moment = datetime.fromtimestamp(at, UTC).isoformat()
    return [alert.name for alert in alerts if ask(insights.url, alert, at=moment).fires]


@pytest.mark.parametrize("incident", INCIDENTS, ids=lambda incident: incident.name.replace(" ", "-"))
def test_the_incident_is_found_in_time_and_no_other_alert_pages(insights: Service, incident: Incident) -> None:
    alert = ALERTS[incident.alert]
    most = alert.found_within_minutes * 60.0
    with a_shop(insights, INCIDENTS.index(incident), seed=7) as shop:
        incident.before(shop)
        begin = shop.replay.now
        shop.minutes(round(most / incident.step_seconds), incident.weather, seconds=incident.step_seconds)
    assert firing(insights, [alert], begin) == [], "it is quiet before"

    every = minutes_of(alert.frequency) * 60.0
    moments = [begin + every * n for n in range(1, int(most // every) + 1)]
    found = next((at for at in moments if firing(insights, [alert], at)), None)

    assert found is not None, f"not found within {alert.found_within_minutes} minutes"
    assert set(firing(insights, paging(), found)) <= {alert.name}
    print(f"found after {(found - begin) / 60:.0f} of {alert.found_within_minutes} minutes")


@pytest.mark.parametrize("seed", range(3))
def test_a_healthy_hour_is_quiet(insights: Service, seed: int) -> None:
    with a_shop(insights, len(INCIDENTS) + seed, seed) as shop:
        nine_hours(shop)
        begin = shop.replay.now
        shop.minutes(60)
        end = shop.replay.now

    # The last look is at telemetry whose newest minutes have not arrived.
    for at in (begin + 1200, begin + 2400, end, end + LAG_SECONDS):
        assert firing(insights, list(ALERTS.values()), at) == []


def test_every_alert_has_an_incident() -> None:
    assert {incident.alert for incident in INCIDENTS} == set(ALERTS)
