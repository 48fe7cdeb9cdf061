"""Prepared incidents: what was normal before, what goes wrong, and the alert that has to find it."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.contract.alerts.shop import Shop
from tests.contract.alerts.weather import Weather


def half_an_hour(shop: Shop) -> None:
    """Minute by minute."""
    shop.minutes(30)


def nine_hours(shop: Shop) -> None:
    """The same traffic told in steps of ten minutes, the last quarter of an hour in full."""
    shop.minutes(52, Weather(turns=60, scores=5, samples=10), seconds=600)
    shop.minutes(15)


def two_days(shop: Shop) -> None:
    """In steps of an hour."""
    shop.minutes(24, Weather(turns=20), seconds=3600)


History = Callable[[Shop], None]
HISTORIES: tuple[History, ...] = (half_an_hour, nine_hours, two_days)


@dataclass(frozen=True)
class Incident:
    """One incident.

    Attributes:
        name: In words; docs/alerts.md lists it.
        alert: The alert that finds it.
        weather: A minute of it.
        before: What was before.
        step_seconds: Length of its steps.
        thorough: Replayed by `make alerts` only, to keep `make test` short.
    """

    name: str
    alert: str
    weather: Weather
    before: History = half_an_hour
    step_seconds: float = 60.0
    thorough: bool = False


INCIDENTS = (
    Incident("429 storm", "throttled-share", Weather(throttled=0.6)),
    Incident("slow region", "first-token-burn-fast", Weather(turns=30, slow=0.95), nine_hours, 300.0),
    Incident("dead worker", "lane-stalled", Weather(stalled=True), nine_hours),
    Incident("poison message", "dead-letters", Weather(poisoned=1)),
    Incident("leaking cost", "cost-anomaly", Weather(turns=30, wasted=5), nine_hours, 300.0),
    Incident("bad prompt version", "quality-dip", Weather(turns=30, scores=5, quality=-1.3), nine_hours, 300.0),
    Incident("silent evaluation", "evaluator-silence", Weather(turns=30, scores=0, samples=5), nine_hours, 300.0),
    Incident(
        "one silent evaluator",
        "evaluator-silence",
        Weather(scores=5, mute=("relevance",)),
        nine_hours,
        300.0,
        thorough=True,
    ),
    Incident("blocked content wave", "blocked-content", Weather(blocked=0.5)),
    Incident("ledger unreachable", "ledger-away", Weather(ledger_away=True)),
    Incident("canary failing", "canary-failing", Weather(turns=30, canary=False), half_an_hour, 300.0),
    Incident("backlog older than the deadline", "backlog-age", Weather(pressed=True)),
    Incident("availability burn", "availability-burn-fast", Weather(turns=30, failing=0.25), nine_hours, 300.0),
    Incident("store away at the door", "availability-burn-fast", Weather(overloaded=3), nine_hours, thorough=True),
    Incident(
        "slowly failing", "availability-burn-medium", Weather(turns=60, failing=0.045), nine_hours, 300.0, thorough=True
    ),
    Incident("slowly late", "first-token-burn-medium", Weather(turns=60, slow=0.3), nine_hours, 300.0, thorough=True),
    Incident(
        "a little unreliable",
        "availability-burn-slow",
        Weather(turns=20, failing=0.015),
        two_days,
        1800.0,
        thorough=True,
    ),
    Incident("a little late", "first-token-burn-slow", Weather(turns=20, slow=0.1), two_days, 1800.0, thorough=True),
    Incident("instances that die", "runs-lost", Weather(lost_runs=2), thorough=True),
    Incident("harmful answers", "safety-defect", Weather(unsafe=1), thorough=True),
    Incident("broken judge", "judge-errors", Weather(judge_errors=0.6), thorough=True),
    Incident("crowd at the door", "refused-share", Weather(refused=10), thorough=True),
    Incident("the app is gone", "heartbeat", Weather(gone=True)),
)
