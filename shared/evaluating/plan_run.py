"""Chooses the items of a run and starts it. Doing it twice changes nothing."""

import dataclasses
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shared.evaluating.fan_out import FanOut
from shared.evaluating.ports import EvaluationStore
from shared.evaluating.runs import MOST_ITEMS, RUN_ID, EvaluationRun, RunItem, RunState, item_of, run_of
from shared.evaluating.suites import read_suite
from shared.evaluation.errors import EvaluationError
from shared.ports import Clock
from shared.telemetry import log


def chosen(item_ids: Sequence[str], sample_size: int | None, seed: int) -> list[str]:
    """The items of a sample: the same ids, size and seed always give the same ones, in whatever order they come."""
    ordered = sorted(item_ids)
    if sample_size is None or sample_size >= len(ordered):
        return ordered
    return sorted(random.Random(seed).sample(ordered, sample_size))  # noqa: S311  a draw that can be repeated


class RunPlanner:
    """Plans runs."""

    def __init__(self, *, store: EvaluationStore, fan_out: FanOut, clock: Clock, datasets: Path | None) -> None:
        """Takes what it works with; `datasets` is the folder of the public test sets."""
        self._store, self._fan_out, self._clock, self._datasets = store, fan_out, clock, datasets

    async def plan(self, run_id: str) -> None:
        """Plans a run whose items are complete.

        Raises:
            Unavailable: The store or the queue does not answer.
        """
        document = await self._store.get(run_id, RUN_ID)
        run = None if document is None else run_of(document)
        if run is None or run.state.over or not run.complete:
            log.info("absorb_plan", run=run_id, state=None if run is None else run.state.value)
            return
        try:
            if run.suite:
                await self._store_suite(run)
        except EvaluationError as error:
            await self._store.move(
                run_id, RUN_ID, states=[RunState.COLLECTING], fields=_stopped(str(error), self._clock.now())
            )
            return
        ids = [item_of(found).item_id for found in await self._store.of_kind(run_id, "item")]
        wanted = chosen(ids, None if run.suite else run.sample_size, run.seed)
        await self._fan_out.begin(run, wanted)
        log.info("plan_evaluation", run=run_id, items=len(wanted))

    async def _store_suite(self, run: EvaluationRun) -> None:
        if self._datasets is None:
            raise EvaluationError("SPILLWAY_DATASETS names no folder of public test sets")
        size = min(run.sample_size or MOST_ITEMS, MOST_ITEMS)
        suite = await read_suite(self._datasets, run.suite, run.seed)
        wanted = set(chosen(list(suite.prompts), size, run.seed))
        now = self._clock.now()
        items = [
            RunItem(
                run.run_id,
                item.item_id,
                suite.prompts[item.item_id],
                dataclasses.asdict(item),
                answer=suite.answers.get(item.item_id),
                touched_at=now,
            )
            for item in suite.items
            if item.item_id in wanted
        ]
        await self._store.create_all(run.run_id, [item.to_document() for item in items])
        fields = {"population": len(suite.items), "dataset": suite.version}
        await self._store.move(run.run_id, RUN_ID, states=[RunState.COLLECTING], fields=fields)


def _stopped(reason: str, now: float) -> dict[str, Any]:
    return {"state": RunState.STOPPED.value, "stopped": reason, "finished_at": now}
