"""Sampling takes nothing from the chat and picks the same turns whatever happens."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

from shared.errors import ContentFiltered, ModelFailed
from shared.evaluating.keep_cap import CapKeeper, turns_per_hour
from shared.evaluating.messages import EvaluationMessage
from shared.evaluating.runs import session_of
from shared.evaluating.sampler import PLAN_DAY, PLAN_ID, TurnSampler
from shared.evaluation.sampling import SamplingPlan, Stratum, draw
from shared.turns import State, Turn
from tests.unit.samples import a_turn

from .support import HeldClock, MemoryEvaluations, MemoryMetrics, MemoryQueue, a_sample

ROOT = Path(__file__).resolve().parents[3]


def a_sampler(share: float = 0.3, **parts: Any) -> tuple[TurnSampler, MemoryQueue]:
    queue = parts.get("queue", MemoryQueue())
    options = {"metrics": MemoryMetrics(), "clock": HeldClock(), **parts, "queue": queue}
    return TurnSampler(share=share, prompt_version="v1", **options), queue


def turns(count: int, **fields: Any) -> list[Turn]:
    return [a_turn(turn_id=f"{n:032x}", session_id=f"s{n}", **fields) for n in range(count)]


async def test_the_sessions_that_the_hash_picks_are_sent_and_a_replay_sends_the_same() -> None:
    plan = SamplingPlan("spillway", base_rate=0.3)
    expected = {turn.turn_id for turn in turns(100) if draw(plan, turn.session_id).drawn}
    picks = []
    for _ in range(2):
        sampler, queue = a_sampler()
        for turn in turns(100):
            sampler.ended(turn, State.SUCCEEDED, {})
        await asyncio.sleep(0)
        await sampler.close()
        picks.append({message.subject for message in queue.sent})
        assert {message.details["probability"] for message in queue.sent} == {0.3}

    assert picks == [expected, expected]
    assert 15 < len(expected) < 45


async def test_nothing_is_done_before_the_caller_goes_on() -> None:
    metrics = MemoryMetrics()
    sampler, queue = a_sampler(share=1.0, metrics=metrics)

    sampler.ended(turns(1)[0], State.SUCCEEDED, {})

    assert (queue.sent, metrics.reads) == ([], 0)
    await asyncio.sleep(0)
    await sampler.close()
    assert len(queue.sent) == 1


async def test_turns_of_evaluation_runs_are_no_production_and_a_share_of_0_draws_none() -> None:
    sampler, queue = a_sampler(share=1.0)
    sampler.ended(a_turn(session_id=session_of("f" * 32, "item")), State.SUCCEEDED, {})
    switched_off, other = a_sampler(share=0.0)
    for turn in turns(20):
        switched_off.ended(turn, State.FAILED, {"error": {"code": "model_failed"}})
        switched_off.rated(turn, "down")
    await asyncio.sleep(0)
    await asyncio.gather(sampler.close(), switched_off.close())

    assert queue.sent == other.sent == []


async def test_failed_and_blocked_turns_and_bad_ratings_are_drawn_more_often() -> None:
    found: dict[str, list[EvaluationMessage]] = {}
    for name in ("fine", "error", "blocked", "down"):
        sampler, queue = a_sampler(share=0.02)
        for turn in turns(200, state=State.SUCCEEDED):
            if name == "fine":
                sampler.ended(turn, State.SUCCEEDED, {})
            elif name == "error":
                sampler.ended(turn, State.FAILED, {"error": ModelFailed().as_dict()})
            elif name == "blocked":
                sampler.ended(turn, State.FAILED, {"error": ContentFiltered().as_dict()})
            else:
                sampler.rated(turn, "down")
                sampler.rated(turn, "up")
        await asyncio.sleep(0)
        await sampler.close()
        found[name] = queue.sent

    assert len(found["fine"]) < 15
    assert 70 < len(found["error"]) < 130
    assert {message.subject for message in found["blocked"]} == {message.subject for message in found["error"]}
    assert len(found["down"]) == 200
    assert found["down"][0].details["probability"] == 1.0
    assert found["blocked"][0].details["strata"] == ["blocked"]


async def test_a_queue_that_is_away_for_a_moment_loses_no_sample() -> None:
    clock = HeldClock()
    sampler, queue = a_sampler(share=1.0, queue=MemoryQueue(failures=2), clock=clock)
    sampler.ended(turns(1)[0], State.SUCCEEDED, {})
    await asyncio.sleep(0)
    await sampler.close()

    assert len(queue.sent) == 1
    assert clock.slept == [1.0, 2.0]


async def test_traffic_above_the_cap_lowers_the_rates_of_all_instances_and_the_weights_say_so() -> None:
    clock, store, metrics = HeldClock(), MemoryEvaluations(), MemoryMetrics()
    hour = "2023-11-14T22"
    for number in range(400):
        await store.create(a_sample(f"t{number}", at=clock.at - 60, hour=hour, probability=0.5))
    await CapKeeper(share=0.5, most_per_hour=100, store=store, metrics=metrics, clock=clock).keep()
    sampler, queue = a_sampler(share=0.5, metrics=metrics, clock=clock)
    for turn in turns(800):
        sampler.ended(turn, State.SUCCEEDED, {})
    await asyncio.sleep(0)
    await sampler.close()

    assert metrics.documents[PLAN_DAY, PLAN_ID]["base_rate"] == 0.5 * 90 / 400
    assert 60 < len(queue.sent) < 130
    assert {message.details["probability"] for message in queue.sent} == {0.5 * 90 / 400}


def test_each_sample_stands_for_the_turns_that_were_not_drawn() -> None:
    hour = "2023-11-14T22"
    samples = [
        a_sample("a", at=0, hour=hour, probability=0.1),
        a_sample("b", at=0, hour=hour, probability=0.5, strata=["error"]),
        a_sample("c", at=0, hour=hour, probability=1.0, strata=["error", "negative_feedback"]),
    ]

    assert turns_per_hour(samples) == {None: 10.0, Stratum.ERROR: 2.0, Stratum.NEGATIVE_FEEDBACK: 1.0}


def test_the_sampler_loads_no_evaluation_before_it_draws() -> None:
    script = "import sys; sys.path.append('.'); import shared.evaluating.sampler; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    ).stdout.split()

    assert not [name for name in loaded if name.startswith("shared.evaluation")]


async def test_a_sample_says_when_its_answer_had_been_given_before() -> None:
    sampler, queue = a_sampler(share=1.0)
    first, again = turns(2)

    sampler.ended(first, State.SUCCEEDED, {})
    sampler.ended(again, State.SUCCEEDED, {"cached": {"kind": "exact", "turn_id": first.turn_id, "age_seconds": 1.0}})
    await asyncio.sleep(0)
    await sampler.close()

    assert {message.subject: message.details["cached"] for message in queue.sent} == {
        first.turn_id: None,
        again.turn_id: "exact",
    }
