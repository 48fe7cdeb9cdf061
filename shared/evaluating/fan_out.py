"""Sends the items of a run to the workers, a bounded number at a time: each that ends starts the next."""

import asyncio
from collections.abc import Sequence

from shared.evaluating.messages import EvaluationMessage, Work
from shared.evaluating.ports import EvaluationQueue, EvaluationStore
from shared.evaluating.runs import DONE, RUN_ID, TTL_SECONDS, WAITING, EvaluationRun, RunState, item_of, run_of
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
        await self._store.move(run.run_id, RUN_ID, states=[RunState.COLLECTING], fields=fields)
        await self._send(run, item_ids[:first], copy="")

    async def go_on(self, run: EvaluationRun) -> bool:
        """Starts the next item; False when all were started or the run is over.

        The message goes out before it is counted: a worker that dies in between costs a doubled message, which the
        item's state absorbs, and no item.
        """
        order = await self._order(run)
        while (current := await self._current(run)) is not None and current.started < len(order):
            await self._send(run, order[current.started : current.started + 1], copy="")
            if await self._store.count_started(run.run_id, current.started):
                return True
        return False

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
        current = await self._current(run)
        if current is None:
            return 0
        under_way = current.started - await self._store.count(run.run_id, "item", DONE)
        started = 0
        while under_way + started < run.concurrency and await self.go_on(run):
            started += 1
        return started

    async def _current(self, run: EvaluationRun) -> EvaluationRun | None:
        """The run as it stands; None unless it is running."""
        document = await self._store.get(run.run_id, RUN_ID)
        current = None if document is None else run_of(document)
        return current if current is not None and current.state is RunState.RUNNING else None

    async def _order(self, run: EvaluationRun) -> list[str]:
        plan = await self._store.get(run.run_id, PLAN_ID)
        return [] if plan is None else plan["items"]

    async def _send(self, run: EvaluationRun, item_ids: Sequence[str], *, copy: str) -> None:
        now = self._clock.now()
        messages = [EvaluationMessage(Work.ITEM, run.run_id, item_id, now, copy) for item_id in item_ids]
        await asyncio.gather(*(self._queue.send(message) for message in messages))
