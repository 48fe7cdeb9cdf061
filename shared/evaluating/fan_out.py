"""Sends the items of a run to the workers, a bounded number at a time: each that ends starts the next."""

import asyncio
from collections.abc import Sequence

from shared.evaluating.messages import EvaluationMessage, Work
from shared.evaluating.ports import EvaluationQueue, EvaluationStore
from shared.evaluating.runs import DONE, TTL_SECONDS, WAITING, EvaluationRun, RunState, item_of
from shared.ports import Clock

PLAN_ID = "plan"
"""The document with the ids of the chosen items in the order in which they are asked."""


class FanOut:
    """Keeps `concurrency` items of each run under way.

    All at once would fill the lane and slow down the very context lookups that are to be evaluated.
    """

    def __init__(self, *, store: EvaluationStore, queue: EvaluationQueue, clock: Clock) -> None:
        """Takes what it works with."""
        self._store, self._queue, self._clock = store, queue, clock

    async def begin(self, run: EvaluationRun, item_ids: Sequence[str]) -> None:
        """Starts a run with these items; doing it again sends the first messages again, which changes nothing."""
        plan = {"id": PLAN_ID, "run": run.run_id, "kind": "plan", "items": list(item_ids), "ttl": TTL_SECONDS}
        await self._store.create(plan)
        first = min(run.concurrency, len(item_ids))
        fields = {"state": RunState.RUNNING.value, "planned": len(item_ids), "started": first}
        await self._store.move(run.run_id, "run", states=[RunState.COLLECTING], fields=fields)
        await self._send(run, item_ids[:first], copy="")

    async def go_on(self, run: EvaluationRun) -> bool:
        """Starts the next item; False when all were started."""
        started = await self._store.start_next(run.run_id)
        if started is None:
            return False
        await self._send(run, (await self._order(run))[started - 1 : started], copy="")
        return True

    async def drive_on(self, run: EvaluationRun, *, untouched_since: float) -> int:
        """Sends started items again that nobody has touched for a while, and fills up; how many were sent."""
        order = await self._order(run)
        items = {found.item_id: found for found in map(item_of, await self._store.of_kind(run.run_id, "item"))}
        waiting = [items[item_id] for item_id in order[: run.started] if items[item_id].state == WAITING]
        lost = [item.item_id for item in waiting if item.touched_at < untouched_since]
        await self._send(run, lost, copy=f"s{int(self._clock.now())}")
        return len(lost) + await self.fill_up(run)

    async def fill_up(self, run: EvaluationRun) -> int:
        """Starts what is missing to `concurrency`, when workers died between an end and the next start; how many."""
        under_way = run.started - await self._store.count(run.run_id, "item", DONE)
        started = 0
        while under_way + started < run.concurrency and await self.go_on(run):
            started += 1
        return started

    async def _order(self, run: EvaluationRun) -> list[str]:
        plan = await self._store.get(run.run_id, PLAN_ID)
        return [] if plan is None else plan["items"]

    async def _send(self, run: EvaluationRun, item_ids: Sequence[str], *, copy: str) -> None:
        now = self._clock.now()
        messages = [EvaluationMessage(Work.ITEM, run.run_id, item_id, now, copy) for item_id in item_ids]
        await asyncio.gather(*(self._queue.send(message) for message in messages))
