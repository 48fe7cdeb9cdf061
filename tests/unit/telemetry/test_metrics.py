"""Metrics count what the facts say, once, and never name a turn."""

from typing import Any

import pytest

from shared.telemetry import names
from shared.telemetry.facts import (
    BacklogSeen,
    CacheAsked,
    CanaryEnded,
    ContextStepEnded,
    LedgerAsked,
    Limits,
    MessageGivenUp,
    RelaySent,
    RequestAccepted,
    RequestRefused,
    RunStarted,
    TurnDeferred,
    TurnRated,
    TurnReplayed,
    TurnSampled,
    TurnSwept,
)
from shared.telemetry.otel.gauges import FreshGauge
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
    metrics.waiting(BacklogSeen("batch", 7, 5, 30.0, 0.5))
    metrics.probed(CanaryEnded("chat-0", "swedencentral", "standard", "success", first_token_seconds=0.2))
    metrics.sampled(TurnSampled())
    metrics.looked_up(CacheAsked("contoso", "semantic"))
    metrics.looked_up(CacheAsked("contoso", "miss", "negation"))
    metrics.shared(LedgerAsked("chat-0", "take", "done", 0.01))
    metrics.shared(LedgerAsked("chat-0", "take", "refused", 0.02))

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
    backlog = (names.BACKLOG_TURNS, names.BACKLOG_DUE, names.BACKLOG_AGE, names.BACKLOG_DEADLINE)
    assert [values(memory, one, names.LANE) for one in backlog] == [{"batch": n} for n in (7, 5, 30.0, 0.5)]
    assert values(memory, names.CANARIES, names.DEPLOYMENT, names.OUTCOME) == {("chat-0", "success"): 1}
    assert values(memory, names.SAMPLED, names.LANE) == {None: 1}
    looks = values(memory, names.CACHE_LOOKUPS, names.CACHE, names.CAUSE)
    assert looks == {("semantic", ""): 1, ("miss", "negation"): 1}
    grants = values(memory, names.LEDGER_OPERATIONS, names.LEDGER_ITEM, names.LEDGER_OPERATION, names.OUTCOME)
    assert grants == {("chat-0", "take", "done"): 1, ("chat-0", "take", "refused"): 1}
    assert values(memory, names.LEDGER_DURATION, names.OUTCOME) == {"done": 0.01, "refused": 0.02}


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
    metrics.watch_ledger(lambda: {"chat-0": True})

    every = (*names.COUNTERS, *names.HISTOGRAMS, *names.GAUGES, *names.OBSERVED_GAUGES)
    assert set(memory.points()) == {one.name for one in every}


def test_a_gauge_says_nothing_that_was_not_seen_of_late(memory: Memory) -> None:
    now = [0.0]
    gauge = FreshGauge(memory.meter, names.UTILIZATION, lambda: now[0])
    gauge.set(80.0, {names.DEPLOYMENT: "chat-0"})
    now[0] = 100.0
    gauge.set(20.0, {names.DEPLOYMENT: "chat-1"})
    gauge.set(30.0, {names.DEPLOYMENT: "chat-1"})

    assert values(memory, names.UTILIZATION, names.DEPLOYMENT) == {"chat-0": 80.0, "chat-1": 30.0}
    now[0] = 121.0
    assert values(memory, names.UTILIZATION, names.DEPLOYMENT) == {"chat-1": 30.0}
    now[0] = 300.0
    assert values(memory, names.UTILIZATION, names.DEPLOYMENT) == {}


def test_the_ledger_is_said_to_be_away_for_as_long_as_it_is(memory: Memory, metrics: Metrics) -> None:
    state = {"chat-0": True, "chat-1": False}
    metrics.watch_ledger(lambda: state)

    lost = {point.attributes[names.DEPLOYMENT]: point.value for point in memory.points()[names.LEDGER_AWAY.name]}
    state["chat-0"] = False
    found = {point.attributes[names.DEPLOYMENT]: point.value for point in memory.points()[names.LEDGER_AWAY.name]}

    assert (lost, found) == ({"chat-0": 1, "chat-1": 0}, {"chat-0": 0, "chat-1": 0})
