"""A run keeps a bounded number of items under way, and loses none."""

import asyncio
import dataclasses

import pytest

from shared.evaluating.fan_out import FanOut
from shared.evaluating.plan_run import RunPlanner
from shared.evaluating.runs import DONE, RUN_ID, WAITING, EvaluationRun, RunItem, run_of

from .support import HeldClock, MemoryEvaluations, MemoryQueue

RUN = EvaluationRun("r", "contoso", "golden", 1.0, 2e9, ("answered",), complete=True, concurrency=3)


async def planned(count: int, clock: HeldClock) -> tuple[FanOut, RunPlanner, MemoryEvaluations, MemoryQueue]:
    store, queue = MemoryEvaluations(), MemoryQueue()
    await store.create(RUN.to_document())
    for number in range(count):
        await store.create(RunItem("r", f"i{number}", "q?", touched_at=clock.at).to_document())
    fan_out = FanOut(store=store, queue=queue, clock=clock)
    planner = RunPlanner(store=store, fan_out=fan_out, clock=clock, datasets=None)
    await planner.plan("r")
    return fan_out, planner, store, queue


async def the_run(store: MemoryEvaluations) -> EvaluationRun:
    document = await store.get("r", RUN_ID)
    assert document is not None
    return run_of(document)


async def end(store: MemoryEvaluations, item_id: str) -> None:
    await store.move("r", RunItem("r", item_id, "").document_id, states=[WAITING], fields={"state": DONE})


async def test_each_item_that_ends_starts_the_next_until_all_were_started() -> None:
    fan_out, _, store, queue = await planned(5, HeldClock())
    first = [message.subject for message in queue.sent]
    more = [await fan_out.go_on(await the_run(store)) for _ in range(4)]

    assert first == ["i0", "i1", "i2"]
    assert more == [True, True, False, False]
    assert [message.subject for message in queue.sent] == ["i0", "i1", "i2", "i3", "i4"]


async def test_a_plan_that_is_delivered_again_starts_nothing_new() -> None:
    fan_out, planner, store, queue = await planned(5, HeldClock())
    await fan_out.go_on(await the_run(store))
    await planner.plan("r")

    assert (await the_run(store)).started == 4
    assert len({message.message_id for message in queue.sent}) == 4


async def test_an_item_whose_message_was_lost_is_sent_again_and_the_others_are_not() -> None:
    clock = HeldClock()
    fan_out, _, store, queue = await planned(5, clock)
    clock.at += 400
    await store.touch("r", RunItem("r", "i1", "").document_id, state=WAITING, now=clock.at)
    queue.sent.clear()
    sent = await fan_out.drive_on(await the_run(store), untouched_since=clock.at - 300)

    assert sent == 2
    assert [message.subject for message in queue.sent] == ["i0", "i2"]
    assert all(message.copy for message in queue.sent)


async def test_a_run_that_lost_its_drive_is_filled_up_again() -> None:
    clock = HeldClock()
    fan_out, _, store, queue = await planned(6, clock)
    for item_id in ("i0", "i1"):
        await end(store, item_id)
    queue.sent.clear()
    await fan_out.drive_on(await the_run(store), untouched_since=clock.at - 300)

    assert [message.subject for message in queue.sent] == ["i3", "i4"]


async def test_a_run_that_was_cancelled_starts_nothing() -> None:
    fan_out, planner, store, queue = await planned(5, HeldClock())
    await store.move("r", RUN_ID, states=["running"], fields={"state": "cancelled"})
    queue.sent.clear()

    assert not await fan_out.go_on(dataclasses.replace(RUN))
    await planner.plan("r")
    assert queue.sent == []


async def test_a_worker_that_dies_between_sending_and_counting_costs_no_item() -> None:
    fan_out, _, store, queue = await planned(5, HeldClock())

    async def die(run: str, started: int) -> bool:
        raise ConnectionError(f"{run} died at {started}")

    counting, store.count_started = store.count_started, die  # type: ignore[method-assign]  # this once
    with pytest.raises(ConnectionError):
        await fan_out.go_on(await the_run(store))
    store.count_started = counting  # type: ignore[method-assign]  # and back
    while await fan_out.go_on(await the_run(store)):
        pass

    assert {message.subject for message in queue.sent} == {"i0", "i1", "i2", "i3", "i4"}
    assert len({message.message_id for message in queue.sent}) == 5


async def test_workers_that_end_items_at_the_same_time_start_different_ones() -> None:
    fan_out, _, store, queue = await planned(9, HeldClock())
    run = await the_run(store)
    began = await asyncio.gather(*(fan_out.go_on(run) for _ in range(8)))

    assert sum(began) == 6
    assert {message.subject for message in queue.sent} == {f"i{number}" for number in range(9)}
