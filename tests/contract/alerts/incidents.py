"""Prepared incidents: what was normal before, what goes wrong, and the alert that has to find it."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.contract.alerts.shop import Shop, Weather


def half_an_hour(shop: Shop) -> None:
    shop.minutes(30)


def nine_hours(shop: Shop) -> None:
    """In steps of ten minutes, the last quarter of an hour in full."""
    shop.minutes(52, Weather(scores=3), seconds=600)
    shop.minutes(15)


def two_days(shop: Shop) -> None:
    shop.minutes(24, Weather(turns=20), seconds=3600)


@dataclass(frozen=True)
class Incident:
    """One incident.

    Attributes:
        name: In words; docs/alerts.md lists it.
        alert: The alert that finds it.
        weather: A minute of it.
        before: What was before.
        step_seconds: Length of its steps.
    """

    name: str
    alert: str
    weather: Weather
    before: Callable[[Shop], None] = half_an_hour
    step_seconds: float = 60.0


INCIDENTS = (
    Incident("429 storm", "throttled-share", Weather(throttled=0.6)),
    Incident("slow region", "first-token-burn-fast", Weather(slow=0.95)),
    Incident("dead worker", "lane-stalled", Weather(stalled=True)),
    Incident("poison message", "dead-letters", Weather(poisoned=1)),
    Incident("leaking cost", "cost-anomaly", Weather(wasted=5), nine_hours),
    Incident("bad prompt version", "quality-dip", Weather(quality=-1.3), nine_hours),
    Incident("silent evaluation", "evaluator-silence", Weather(scores=0), nine_hours),
    Incident("one silent evaluator", "evaluator-silence", Weather(mute=("groundedness",)), nine_hours),
    Incident("blocked content wave", "blocked-content", Weather(blocked=0.4)),
    Incident("ledger unreachable", "ledger-away", Weather(ledger_away=True)),
    Incident("canary failing", "canary-failing", Weather(canary=False)),
    Incident("backlog older than the deadline", "backlog-age", Weather(pressed=True)),
    Incident("availability burn", "availability-burn-fast", Weather(failing=0.25)),
    Incident("store away at the door", "availability-burn-fast", Weather(overloaded=4)),
    Incident("slowly failing", "availability-burn-medium", Weather(failing=0.055), nine_hours, 300.0),
    Incident("slowly late", "first-token-burn-medium", Weather(slow=0.3), nine_hours, 300.0),
    Incident("a little unreliable", "availability-burn-slow", Weather(turns=20, failing=0.015), two_days, 1800.0),
    Incident("a little late", "first-token-burn-slow", Weather(turns=20, slow=0.1), two_days, 1800.0),
    Incident("instances that die", "runs-lost", Weather(lost_runs=2)),
    Incident("harmful answers", "safety-defect", Weather(unsafe=1)),
    Incident("broken judge", "judge-errors", Weather(judge_errors=0.6)),
    Incident("crowd at the door", "refused-share", Weather(refused=10)),
    Incident("the app is gone", "heartbeat", Weather(gone=True)),
)
