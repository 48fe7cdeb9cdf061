"""Roll-ups stand for all turns, and drift is seen once."""

import logging
import time

import pytest

from shared.evaluating.roll_up import Hour, RollUp
from shared.evaluating.sampler import PLAN_DAY
from shared.evaluating.watch_drift import BASELINE_SCORES, DriftWatch

from .support import HeldClock, MemoryEvaluations, MemoryMetrics, a_sample, a_score

NOW = 1_700_000_000.0
DAY = time.strftime("%Y-%m-%d", time.gmtime(NOW))
HOUR = time.strftime("%Y-%m-%dT%H", time.gmtime(NOW))


async def add(store: MemoryEvaluations, turn_id: str, value: float | None, **sample: float) -> None:
    await store.create(a_sample(turn_id, hour=HOUR, **{"at": NOW, "probability": 0.5, **sample}))
    await store.create(a_score(turn_id, value, hour=HOUR))


async def roll_up(store: MemoryEvaluations, metrics: MemoryMetrics, now: float = NOW + 60) -> list[Hour]:
    """What the timer does."""
    found = RollUp(store=store, metrics=metrics)
    hours = await found.changed(now)
    await found.sum_up(hours)
    await found.remember(now)
    return hours


async def test_an_hour_is_weighted_by_what_its_samples_stand_for() -> None:
    store, metrics = MemoryEvaluations(), MemoryMetrics()
    for number in range(10):
        await add(store, f"fine{number}", 5, probability=0.1)
    for number in range(10):
        await add(store, f"bad{number}", 1, probability=1.0)
    await roll_up(store, metrics)
    (found,) = await metrics.of_kind(DAY, "quality")

    assert (found["scored"], found["turns"]) == (20, 110)
    assert found["mean"] == pytest.approx((100 * 5 + 10 * 1) / 110)
    assert found["pass_rate"] == pytest.approx(100 / 110)
    assert found["pass_rate_interval"][0] < found["pass_rate"] < found["pass_rate_interval"][1]


async def test_a_later_rating_changes_the_weight_of_its_turn_and_not_the_count() -> None:
    store, metrics = MemoryEvaluations(), MemoryMetrics()
    await add(store, "a", 1, probability=0.1)
    await add(store, "b", 5, probability=0.1)
    await roll_up(store, metrics)
    before = (await metrics.of_kind(DAY, "quality"))[0]
    await store.raise_probability(f"production-{DAY}", "sample-a", 1.0, ["negative_feedback"])
    await roll_up(store, metrics)
    (after,) = await metrics.of_kind(DAY, "quality")

    assert (before["scored"], before["turns"], before["mean"]) == (2, 20, 3)
    assert (after["scored"], after["turns"]) == (2, 11)
    assert after["mean"] == pytest.approx((1 * 1 + 10 * 5) / 11)


async def test_judge_errors_are_counted_apart_and_a_silent_judge_is_said(caplog: pytest.LogCaptureFixture) -> None:
    store, metrics = MemoryEvaluations(), MemoryMetrics()
    for number in range(25):
        await add(store, f"t{number}", None)
    with caplog.at_level(logging.WARNING, "spillway"):
        await roll_up(store, metrics)
    (found,) = await metrics.of_kind(DAY, "quality")

    assert (found["scored"], found["judge_errors"], found["mean"], found["pass_rate"]) == (0, 25, None, None)
    assert [record.__dict__["action"] for record in caplog.records] == ["silent_evaluator"]


async def test_hours_without_change_are_left_alone() -> None:
    store, metrics = MemoryEvaluations(), MemoryMetrics()
    await add(store, "a", 5)

    assert await roll_up(store, metrics, NOW + 60) == [Hour(DAY, HOUR)]
    assert await roll_up(store, metrics, NOW + 600) == [Hour(DAY, HOUR)]
    assert await roll_up(store, metrics, NOW + 900) == []


async def test_a_timer_that_was_away_for_a_day_catches_up() -> None:
    store, metrics = MemoryEvaluations(), MemoryMetrics()
    await roll_up(store, metrics)
    await add(store, "late", 5, at=NOW + 600)

    assert await roll_up(store, metrics, NOW + 86_400) == [Hour(DAY, HOUR)]


async def test_the_first_scores_of_a_stream_are_its_baseline_and_a_fall_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store, metrics, clock = MemoryEvaluations(), MemoryMetrics(), HeldClock(NOW + 3600)
    watch = DriftWatch(store=store, metrics=metrics, clock=clock)
    for number in range(BASELINE_SCORES):
        await add(store, f"good{number:03}", 4 + number % 2, at=NOW + number)
    await watch.watch([Hour(DAY, HOUR)])
    (stream,) = await metrics.of_kind(PLAN_DAY, "stream")
    assert stream["baseline"] == {"mean": 4.5, "standard_deviation": 0.5, "count": BASELINE_SCORES}

    for number in range(120):
        await add(store, f"worse{number:03}", 3 + number % 2, at=NOW + 500 + number)
    with caplog.at_level(logging.WARNING, "spillway"):
        await watch.watch([Hour(DAY, HOUR)])
        told = [record.__dict__ for record in caplog.records]
        await watch.watch([Hour(DAY, HOUR)])
    (stream,) = await metrics.of_kind(PLAN_DAY, "stream")

    assert [(record["action"], record["direction"]) for record in told[:1]] == [("drift_quality", "fell")]
    assert len(caplog.records) == len(told)
    assert {alarm["direction"] for alarm in stream["alarms"]} == {"fell"}


async def test_every_score_is_taken_in_once_also_by_two_instances_at_a_time() -> None:
    store, metrics, clock = MemoryEvaluations(), MemoryMetrics(), HeldClock(NOW + 3600)
    for number in range(10):
        await add(store, f"t{number}", 5, at=NOW + number)
    watches = [DriftWatch(store=store, metrics=metrics, clock=clock) for _ in range(2)]
    for watch in watches:
        await watch.watch([Hour(DAY, HOUR)])
    (stream,) = await metrics.of_kind(PLAN_DAY, "stream")

    assert stream["learned"]["count"] == 10


async def test_scores_that_just_came_in_wait_so_that_none_is_overtaken() -> None:
    store, metrics, clock = MemoryEvaluations(), MemoryMetrics(), HeldClock(NOW + 10)
    await add(store, "fresh", 5, at=NOW)

    assert await DriftWatch(store=store, metrics=metrics, clock=clock).watch([Hour(DAY, HOUR)]) == []
