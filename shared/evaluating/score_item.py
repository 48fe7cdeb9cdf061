"""Brings one item of a run a step further: asked, then answered, then scored. Each step can be repeated safely."""

import dataclasses
from typing import Any, NamedTuple

from shared.errors import CapacityExhausted, Unavailable
from shared.evaluating.answers import AnswerReader, with_passages
from shared.evaluating.asking import Asking, turn_id_of
from shared.evaluating.events import emit
from shared.evaluating.fan_out import FanOut
from shared.evaluating.finish_run import RunFinisher
from shared.evaluating.messages import EvaluationMessage
from shared.evaluating.ports import EvaluationQueue, EvaluationStore
from shared.evaluating.run_budget import calls_allowed, pause_for_budget
from shared.evaluating.runs import (
    DONE,
    RUN_ID,
    TTL_SECONDS,
    WAITING,
    EvaluationRun,
    RunItem,
    RunState,
    item_document_id,
    item_of,
    run_of,
)
from shared.evaluating.scoring import AnswerScorer, Grant, Outcome
from shared.evaluation.records import Answer, Item
from shared.ports import Clock
from shared.settings import Settings
from shared.telemetry import log
from shared.turns import Turn

LOOK_AGAIN_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Pauses until an item's turn is looked at again; the last one repeats."""
MOST_JUDGE_TRIES = 6
"""How often a judge that takes no call is waited for before its error counts."""
MOST_HOUR_PAUSE_SECONDS = 240.0
MOST_BUDGET_WAITS = 40
"""How often an item waits for what other items have reserved and may give back."""


class ItemWorker:
    """Works on items. A message says which; the state in the store says what is next."""

    def __init__(
        self,
        *,
        settings: Settings,
        store: EvaluationStore,
        queue: EvaluationQueue,
        asking: Asking,
        reader: AnswerReader,
        scorer: AnswerScorer,
        fan_out: FanOut,
        finisher: RunFinisher,
        clock: Clock,
    ) -> None:
        """Takes what it works with."""
        self._settings, self._store, self._queue, self._asking = settings, store, queue, asking
        self._reader, self._scorer, self._fan_out = reader, scorer, fan_out
        self._finisher, self._clock = finisher, clock

    async def work(self, message: EvaluationMessage) -> None:
        """Takes the next step of an item.

        Raises:
            Unavailable: The store or the queue does not answer.
        """
        document = await self._store.get(message.run, RUN_ID)
        run = None if document is None else run_of(document)
        if run is not None and run.state is RunState.CLOSING:
            # Delivered again: the worker that closed the run may have died before its verdict.
            await self._finisher.conclude(run)
            return
        if run is None or run.state is not RunState.RUNNING:
            log.info("absorb_item", run=message.run, state=None if run is None else run.state.value)
            return
        now = self._clock.now()
        if now > run.deadline_at:
            await self._finisher.stop(run, "the run took longer than it may")
            return
        found = await self._store.touch(run.run_id, item_document_id(message.subject), state=WAITING, now=now)
        if found is None:
            # Delivered again after its end: whatever should have followed the end is made up for.
            if not await self._finisher.finish_when_done(run):
                await self._fan_out.fill_up(run)
            return
        await self._step(run, item_of(found), message)

    async def _step(self, run: EvaluationRun, item: RunItem, message: EvaluationMessage) -> None:
        if item.answer is not None:
            given = Answer(item.item_id, item.answer, answer_id=turn_id_of(run, item.item_id), model="given")
            await self._judge(run, item, _Given(record_item(item), given, ()), message)
            return
        try:
            turn = await self._asking.turn(run, item)
        except (CapacityExhausted, Unavailable) as error:
            pause = error.retry_after_seconds or LOOK_AGAIN_SECONDS[-1]
            await self._later(message, item, pause)
            return
        if not turn.state.terminal:
            await self._later(message, item, LOOK_AGAIN_SECONDS[min(item.tries, len(LOOK_AGAIN_SECONDS)) - 1])
            return
        await self._score(run, item, turn, message)

    async def _score(self, run: EvaluationRun, item: RunItem, turn: Turn, message: EvaluationMessage) -> None:
        model = run.model or self._settings.default_model
        answer, passages = await self._reader.read(turn, item_id=item.item_id, model=model, waits_count=False)
        question = with_passages(record_item(item), turn, passages)
        dropped = tuple((turn.timeline or {}).get("dropped", ()))
        await self._judge(run, item, _Given(question, answer, dropped), message)

    async def _judge(self, run: EvaluationRun, item: RunItem, given: "_Given", message: EvaluationMessage) -> None:
        outcome = await self._scored(_narrowed(run, item), given.question, given.answer)
        if outcome is None:
            most = self._scorer.most(_narrowed(run, item).evaluators, run.suite, given.question, given.answer)
            await self._wait_for_budget(run, item, message, most)
        elif outcome.stopped:
            await self._finisher.stop(run, outcome.stopped)
        elif outcome.busy_seconds is not None and outcome.judge_errors and item.judge_tries < MOST_JUDGE_TRIES:
            await self._store.move(
                run.run_id, item.document_id, states=[WAITING], fields={"judge_tries": item.judge_tries + 1}
            )
            await self._later(message, item, outcome.busy_seconds)
        else:
            await self._end(run, item, given, outcome)

    async def _scored(self, run: EvaluationRun, question: Item, answer: Answer) -> Outcome | None:
        """The outcome within a grant taken from the run's budget; None when the budget has no room at the moment."""
        calls, cost_usd = self._scorer.most(run.evaluators, run.suite, question, answer)
        most = calls_allowed(run, self._clock.now())
        bounded = calls > 0 and (most is not None or run.max_cost_usd is not None)
        if bounded and not await self._store.reserve(
            run.run_id, calls=calls, cost_usd=cost_usd, max_calls=most, max_cost_usd=run.max_cost_usd
        ):
            return None
        reserved, spent = (calls, cost_usd) if bounded else (0, 0.0), (0, 0.0)
        try:
            outcome = await self._scorer.score(
                question,
                answer,
                run_id=run.run_id,
                tenant=run.tenant,
                evaluators=run.evaluators,
                suite=run.suite,
                grant=Grant(calls, cost_usd) if bounded else Grant(),
                fields={"ttl": TTL_SECONDS},
                with_texts=True,
            )
            spent = (outcome.calls, outcome.cost_usd)
        finally:
            if any(reserved) or any(spent):
                await self._store.settle(run.run_id, reserved=reserved, spent=spent)
        return outcome

    async def _wait_for_budget(
        self, run: EvaluationRun, item: RunItem, message: EvaluationMessage, most: tuple[int, float]
    ) -> None:
        """What others have reserved may come back; when nothing is reserved, or never comes back, the run is over."""
        document = await self._store.get(run.run_id, RUN_ID)
        current = run if document is None else run_of(document)
        pause = pause_for_budget(
            current,
            calls=most[0],
            cost_usd=most[1],
            patient=item.tries <= MOST_BUDGET_WAITS,
            now=self._clock.now(),
        )
        if pause is None:
            await self._finisher.stop(run, "the budget for judges is used up")
        else:
            # Looked at in between, so that nobody takes it for lost.
            await self._later(message, item, min(pause, MOST_HOUR_PAUSE_SECONDS))

    async def _end(self, run: EvaluationRun, item: RunItem, given: "_Given", outcome: Outcome) -> None:
        answer = given.answer
        fields: dict[str, Any] = {
            "state": DONE,
            "ended_at": self._clock.now(),
            "turn_id": answer.answer_id,
            "answer_cost_usd": answer.cost_usd,
            "deployment": answer.model,
            "dropped": list(given.dropped),
        }
        # Whoever ends the item tells of its scores and starts the next one, so that each happens once.
        if await self._store.move(run.run_id, item.document_id, states=[WAITING], fields=fields):
            for score in outcome.scores:
                emit(
                    score,
                    run=run.run_id,
                    deployment=answer.model,
                    prompt_version=answer.prompt_version,
                    sampled=False,
                    with_reason=self._settings.log_content,
                )
            if await self._fan_out.go_on(run):
                return
        await self._finisher.finish_when_done(run)

    async def _later(self, message: EvaluationMessage, item: RunItem, pause_seconds: float) -> None:
        """Sends a copy for later, so that no worker slot is held by an item that waits."""
        now = self._clock.now()
        copy = dataclasses.replace(message, sent_at=now, copy=f"t{item.tries}")
        await self._queue.send(copy, not_before=now + pause_seconds)


class _Given(NamedTuple):
    """What is judged: the question with its sources, its answer, and which sources came too late for it."""

    question: Item
    answer: Answer
    dropped: tuple[str, ...]


def _narrowed(run: EvaluationRun, item: RunItem) -> EvaluationRun:
    """The run with only those of its evaluators that the item asks for."""
    if item.evaluators is None:
        return run
    wanted = set(item.evaluators)
    return dataclasses.replace(run, evaluators=tuple(name for name in run.evaluators if name in wanted))


def record_item(item: RunItem) -> Item:
    """The item as evaluators take it."""
    known = {entry.name for entry in dataclasses.fields(Item)}
    fields = {name: _tuples(value) for name, value in item.record.items() if name in known}
    return Item(**fields)


def _tuples(value: Any) -> Any:
    """Lists as the tuples they were before they were stored."""
    return tuple(value) if isinstance(value, list) else value
