"""Metrics count what the facts say, once, and never name a turn."""

from typing import Any

import pytest

from shared.telemetry import names
from shared.telemetry.facts import (
    ContextStepEnded,
    Limits,
    MessageGivenUp,
    RelaySent,
    RequestAccepted,
    RequestRefused,
    RunStarted,
    TurnDeferred,
    TurnRated,
    TurnReplayed,
    TurnSwept,
)
from shared.telemetry.otel.metrics import Metrics
from shared.telemetry.prices import Price
from tests.unit.telemetry.facts import SUBJECT, a_refusal, an_attempt, an_end
from tests.unit.telemetry.otel import Memory


@pytest.fixture
def metrics(memory: Memory) -> Metrics:
    return Metrics(memory.meter, {"gpt-4o-mini": Price(input=1.0, output=10.0, cached=0.5)})


def values(memory: Memory, instrument: names.Instrument, *dimensions: str) -> dict[Any, float]:
    """Values by the dimensions, which together tell the points apart."""
    found = {}
    for point in memory.points().get(instrument.name, []):
        key = tuple(point.attributes.get(name) for name in dimensions)
        assert key not in found
        found[key if len(key) > 1 else key[0]] = getattr(point, "value", None) or getattr(point, "sum", 0)
    return found


def test_turns_are_counted_by_outcome_lane_path_and_tenant(memory: Memory, metrics: Metrics) -> None:
    metrics.ended(an_end())
    metrics.ended(an_end())
    metrics.ended(an_end(state="failed", code="model_failed", timeline=None))

    turns = values(memory, names.TURNS, names.OUTCOME, names.LANE, names.PATH, names.TENANT)

    assert turns == {
        ("succeeded", "interactive", "direct", "contoso"): 2,
        ("failed", "interactive", "direct", "contoso"): 1,
    }
    assert memory.points()[names.TURN_FIRST_TOKEN.name][0].count == 2
    assert memory.points()[names.TURN_FIRST_TOKEN.name][0].sum == pytest.approx(0.5)


def test_tokens_and_their_price_are_counted_by_deployment_and_tenant(memory: Memory, metrics: Metrics) -> None:
    metrics.attempted(an_attempt())

    tokens = values(memory, names.TOKENS, names.TOKEN_TYPE, names.DEPLOYMENT, names.TENANT)

    assert {kind: count for (kind, *_), count in tokens.items()} == {
        "input": 1000,
        "output": 100,
        "cached": 400,
        "reasoning": 10,
    }
    assert values(memory, names.SPEND, names.TENANT)["contoso"] == pytest.approx((600 + 400 * 0.5 + 1000) / 1e6)


def test_only_a_429_counts_as_throttled_and_its_wait_is_measured(memory: Memory, metrics: Metrics) -> None:
    metrics.attempted(a_refusal())
    metrics.attempted(a_refusal(cause="capacity", retry_after_seconds=None))
    metrics.attempted(a_refusal(outcome="ignored", cause="server_fault", status=500, retry_after_seconds=None))
    metrics.attempted(an_attempt())

    assert values(memory, names.THROTTLED, names.CAUSE) == {"quota": 1, "capacity": 1}
    assert [point.sum for point in memory.points()[names.RETRY_AFTER.name]] == [1.5]
    assert sum(values(memory, names.ATTEMPTS_MADE, names.OUTCOME, names.CAUSE).values()) == 4


def test_the_last_word_of_a_deployment_on_its_quota_stands(memory: Memory, metrics: Metrics) -> None:
    metrics.attempted(an_attempt())
    metrics.attempted(an_attempt(limits=Limits(remaining_tokens=7, utilization_percent=80.0)))

    assert values(memory, names.REMAINING_QUOTA, names.REMAINING_KIND) == {"tokens": 7, "requests": 50}
    assert values(memory, names.UTILIZATION, names.DEPLOYMENT) == {"chat-0": 80.0}


def test_every_other_fact_has_its_counter(memory: Memory, metrics: Metrics) -> None:
    metrics.accepted(RequestAccepted(SUBJECT, fresh=True))
    metrics.refused(RequestRefused("contoso", "batch", "capacity_exhausted"))
    metrics.started(RunStarted(SUBJECT, 1, queue_wait_seconds=3.0))
    metrics.started(RunStarted(SUBJECT, 1))
    metrics.deferred(TurnDeferred(SUBJECT, 2.0, faulted=False))
    metrics.given_up(MessageGivenUp(SUBJECT))
    metrics.replayed(TurnReplayed("batch"))
    metrics.rated(TurnRated("contoso", "standard", "up"))
    metrics.gathered(ContextStepEnded("history", 0.1))
    metrics.gathered(ContextStepEnded("knowledge", 0.1, "TimeoutError"))
    metrics.relayed(RelaySent(0.1, delivered=True))
    metrics.relayed(RelaySent(0.1, delivered=False))
    metrics.swept(TurnSwept("batch", "rescued"))

    assert values(memory, names.REQUESTS, names.OUTCOME, names.CODE) == {
        ("accepted", None): 1,
        ("refused", "capacity_exhausted"): 1,
    }
    assert values(memory, names.QUEUE_WAIT, names.LANE) == {"interactive": 3.0}
    assert values(memory, names.DEFERRED, names.CAUSE) == {"capacity": 1}
    assert values(memory, names.DEAD_LETTERS, names.LANE) == {"interactive": 1}
    assert values(memory, names.REPLAYS, names.LANE) == {"batch": 1}
    assert values(memory, names.STEPS_DROPPED, names.STEP) == {"knowledge": 1}
    assert values(memory, names.RELAY_SENDS, names.OUTCOME) == {"delivered": 1, "lost": 1}
    assert values(memory, names.SWEPT, names.OUTCOME) == {"rescued": 1}


def test_no_metric_has_a_dimension_with_a_value_for_each_turn(memory: Memory, metrics: Metrics) -> None:
    test_every_other_fact_has_its_counter(memory, metrics)
    metrics.attempted(an_attempt())
    metrics.ended(an_end())

    dimensions = {name for points in memory.points().values() for point in points for name in point.attributes}

    assert not dimensions & {names.TURN_ID, names.GEN_AI_CONVERSATION_ID, names.SERVICE_REQUEST_ID}


def test_every_instrument_is_used(memory: Memory, metrics: Metrics) -> None:
    test_every_other_fact_has_its_counter(memory, metrics)
    metrics.attempted(an_attempt(limits=Limits(1, 1, 1.0)))
    metrics.attempted(a_refusal())
    metrics.ended(an_end())

    assert set(memory.points()) == {one.name for one in (*names.COUNTERS, *names.HISTOGRAMS, *names.GAUGES)}
