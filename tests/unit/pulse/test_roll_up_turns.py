"""Sums to bill by are exact however often, late or concurrently they are made."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import Unavailable
from shared.pulse.ports import EndedTurn, Waiting
from shared.pulse.roll_up_turns import COUNTS, NAMES, TurnRollUp, document_id, written_minute
from shared.turns import Lane, Usage
from tests.unit.evaluating.support import HeldClock, MemoryMetrics

MINUTE, BEGIN, TTL = 60, 1_700_000_040.0, 86_400.0
"""The beginning of a minute."""


@dataclass
class MemoryRecords:
    """Turns that are over: (accepted at, changed at, turn). A read can be held up, and then shows an older state."""

    ended: list[tuple[float, float, EndedTurn]] = field(default_factory=list)
    slow: list[asyncio.Event] = field(default_factory=list)
    away: int = 0

    async def minutes_ended_since(self, since: float) -> set[int]:
        if self.away > 0:
            self.away -= 1
            raise Unavailable
        return {int(accepted // MINUTE) for accepted, changed, _ in self.ended if changed >= since}

    async def ended_within(self, minute: int) -> Sequence[EndedTurn]:
        found = [turn for accepted, _, turn in self.ended if int(accepted // MINUTE) == minute]
        if self.slow:
            await self.slow.pop(0).wait()
        return found

    async def waiting(self, lane: Lane, now: float) -> Waiting:
        raise NotImplementedError


def a_turn(tenant: str = "contoso", state: str = "succeeded", tokens: int = 10) -> EndedTurn:
    usage = Usage(tokens, 2 * tokens) if state == "succeeded" else None
    return EndedTurn(tenant, "standard", "queued", None, "chat-0" if usage else None, state, usage)


def a_roll_up(records: MemoryRecords, metrics: MemoryMetrics, clock: HeldClock) -> TurnRollUp:
    return TurnRollUp(records=records, metrics=metrics, clock=clock, default_model="gpt-4o-mini", turn_ttl_seconds=TTL)


def rows(metrics: MemoryMetrics) -> list[dict[str, Any]]:
    return [row for document in metrics.documents.values() if document["kind"] == "turns" for row in document["rows"]]


def totals(found: list[dict[str, Any]]) -> dict[str, int]:
    return {name: sum(row[name] for row in found) for name in COUNTS}


def expected(turns: Sequence[EndedTurn]) -> dict[str, int]:
    sums = Counter[str]({"turns": len(turns)})
    for turn in turns:
        sums[turn.state] += 1
        if turn.usage is not None:
            sums.update({"input_tokens": turn.usage.input_tokens, "output_tokens": turn.usage.output_tokens})
    return {name: sums[name] for name in COUNTS}


async def test_a_minute_has_one_row_for_each_tenant_model_lane_path_and_deployment() -> None:
    turns = [a_turn(), a_turn(), a_turn("fabrikam"), a_turn(state="failed")]
    records = MemoryRecords([(BEGIN + n, BEGIN + 70, turn) for n, turn in enumerate(turns)])
    metrics, clock = MemoryMetrics(), HeldClock(BEGIN + 80)

    assert await a_roll_up(records, metrics, clock).roll_up() == 1

    minute = int(BEGIN // MINUTE)
    document = metrics.documents[written_minute(minute)[:10], document_id(minute)]
    keys = {tuple(row[name] for name in NAMES): row["turns"] for row in document["rows"]}
    assert keys == {
        ("contoso", "gpt-4o-mini", "standard", "queued", "chat-0"): 2,
        ("contoso", "gpt-4o-mini", "standard", "queued", ""): 1,
        ("fabrikam", "gpt-4o-mini", "standard", "queued", "chat-0"): 1,
    }
    assert totals(document["rows"]) == expected(turns)


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("end"),
            st.floats(0, 200),
            st.sampled_from(["contoso", "fabrikam"]),
            st.sampled_from(["succeeded", "failed", "expired", "cancelled"]),
            st.integers(1, 1000),
        ),
        st.tuples(st.just("pass"), st.floats(1, 100)),
        st.tuples(st.just("roll up"), st.integers(0, 2)),
        st.tuples(st.just("lose the store")),
    ),
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
async def test_every_turn_is_in_the_sums_exactly_once_whichever_instances_sum_up_when(steps: list[Any]) -> None:
    records, metrics, clock = MemoryRecords(), MemoryMetrics(), HeldClock(BEGIN)
    instances = [a_roll_up(records, metrics, clock) for _ in range(3)]
    for step in steps:
        match step:
            case ("end", age, tenant, state, tokens):
                records.ended.append((clock.at - age, clock.at, a_turn(tenant, state, tokens)))
            case ("pass", seconds):
                clock.at += seconds
            case ("lose the store",):
                records.away += 1
            case ("roll up", who):
                await asyncio.gather(*(one.roll_up() for one in instances[who:]), return_exceptions=True)
    records.away = 0
    await instances[0].roll_up()

    assert totals(rows(metrics)) == expected([turn for *_, turn in records.ended])


async def test_an_instance_that_read_earlier_and_writes_later_takes_nothing_away() -> None:
    records, metrics, clock = MemoryRecords([(BEGIN, BEGIN, a_turn())]), MemoryMetrics(), HeldClock(BEGIN + 60)
    held = asyncio.Event()
    records.slow = [held]
    late = asyncio.create_task(a_roll_up(records, metrics, clock).roll_up())
    await asyncio.sleep(0)
    records.ended.append((BEGIN + 1, BEGIN + 60, a_turn()))
    await a_roll_up(records, metrics, clock).roll_up()
    held.set()
    await late

    assert totals(rows(metrics))["turns"] == 2


async def test_a_minute_whose_turns_may_be_gone_from_the_store_is_left_as_it_was() -> None:
    records = MemoryRecords([(BEGIN, BEGIN + 5, a_turn()), (BEGIN + 1, BEGIN + 5, a_turn())])
    metrics, clock = MemoryMetrics(), HeldClock(BEGIN + 60)
    await a_roll_up(records, metrics, clock).roll_up()
    clock.at = BEGIN + TTL + 10
    # One of the two has come to its end of life; the other was rated just now, which counts as a change.
    records.ended = [(BEGIN, clock.at, a_turn())]

    assert await a_roll_up(records, metrics, clock).roll_up() == 0
    assert totals(rows(metrics))["turns"] == 2


async def test_what_nobody_summed_up_while_the_store_was_away_is_summed_up_after() -> None:
    records, metrics, clock = MemoryRecords(away=1), MemoryMetrics(), HeldClock(BEGIN + 60)
    one = a_roll_up(records, metrics, clock)
    records.ended.append((BEGIN, BEGIN + 30, a_turn()))
    with pytest.raises(Unavailable):
        await one.roll_up()
    clock.at += 3600
    await one.roll_up()

    assert totals(rows(metrics))["turns"] == 1


async def test_a_repeat_without_news_writes_no_sums() -> None:
    records, metrics, clock = MemoryRecords([(BEGIN, BEGIN, a_turn())]), MemoryMetrics(), HeldClock(BEGIN + 60)
    one = a_roll_up(records, metrics, clock)
    await one.roll_up()
    before = metrics.writes
    await one.roll_up()

    assert metrics.writes == before + 1, "only the place is written"
