"""What operators do with runs: start, fill, look at, cancel."""

import asyncio
import dataclasses
import hashlib
import uuid
from typing import Any

from shared.api.door import Principal
from shared.api.models import ChatRequest
from shared.capacity.capacity import Capacity
from shared.errors import Cancelled, EvaluationClosed, EvaluationNotFound, IdempotencyConflict, InvalidRequest
from shared.evaluating.asking import turn_id_of
from shared.evaluating.evaluators import GOLDEN, JUDGED, NAMES
from shared.evaluating.messages import EvaluationMessage, Work
from shared.evaluating.ports import EvaluationQueue, EvaluationStore
from shared.evaluating.report import Reports, finite
from shared.evaluating.requests import EvaluationItemIn, EvaluationItemsIn, EvaluationRequest
from shared.evaluating.run_view import describe
from shared.evaluating.runs import DONE, MOST_ITEMS, RUN_ID, EvaluationRun, RunItem, RunState, item_of, run_of
from shared.evaluation.records import Item
from shared.ports import Clock, TurnStore
from shared.settings import Settings

RUN_SECONDS = 24 * 3600.0
CANCEL_AT_ONCE = 16


class Runs:
    """The use cases around runs."""

    def __init__(
        self,
        *,
        settings: Settings,
        store: EvaluationStore,
        queue: EvaluationQueue,
        turns: TurnStore,
        capacity: Capacity,
        reports: Reports,
        clock: Clock,
    ) -> None:
        """Takes what it works with."""
        self._settings, self._store, self._queue, self._turns = settings, store, queue, turns
        self._capacity, self._reports, self._clock = capacity, reports, clock

    async def start(
        self, request: EvaluationRequest, principal: Principal, idempotency_key: str | None
    ) -> EvaluationRun:
        """Starts a run. The same Idempotency-Key gives the same run.

        Raises:
            InvalidRequest: An unknown evaluator or model, a judge that is not there, a test set that is not there.
            IdempotencyConflict: The key was used for a different request.
            Unavailable: The store or the queue does not answer.
        """
        run = self._run(request, principal, idempotency_key)
        if run.baseline_run is not None:
            await self.get(run.baseline_run, principal)
        if not await self._store.create(run.to_document()):
            known = await self.get(run.run_id, principal)
            if known.fingerprint != run.fingerprint:
                raise IdempotencyConflict
        return await self._add(run, request)

    async def add(self, run_id: str, request: EvaluationItemsIn, principal: Principal) -> EvaluationRun:
        """Gives a run more items; the last batch starts it.

        Raises:
            EvaluationNotFound: There is no such run.
            EvaluationClosed: It takes no more items.
            InvalidRequest: It would have too many items, or none.
            Unavailable: The store or the queue does not answer.
        """
        run = await self.get(run_id, principal)
        if run.state is not RunState.COLLECTING or run.complete:
            raise EvaluationClosed
        return await self._add(run, request)

    async def get(self, run_id: str, principal: Principal) -> EvaluationRun:
        """A run of the caller's tenant.

        Raises:
            EvaluationNotFound: There is none, or it is another tenant's, which looks the same from outside.
        """
        document = await self._store.get(run_id, RUN_ID)
        if document is None or document["tenant"] != principal.tenant:
            raise EvaluationNotFound
        return run_of(document)

    async def list(self, principal: Principal, limit: int) -> list[dict[str, Any]]:
        """The latest runs of the caller's tenant, newest first."""
        runs = [run_of(document) for document in await self._store.runs(principal.tenant, limit)]
        return [describe(run, await self._done(run)) for run in runs]

    async def describe(self, run: EvaluationRun) -> dict[str, Any]:
        """A run as callers see it, without its report."""
        return describe(run, await self._done(run))

    async def report(self, run: EvaluationRun) -> dict[str, Any]:
        """A run as callers see it, with its report."""
        summary = await self._reports.summary(run)
        return {**await self.describe(run), **({} if summary is None else {"report": summary})}

    async def scorecard(self, run: EvaluationRun) -> str:
        """The run's scorecard as an HTML page."""
        return await self._reports.page(run)

    async def scores(self, run: EvaluationRun, *, after: str, limit: int) -> dict[str, Any]:
        """A page of the run's scores in a fixed order."""
        found = await self._store.page_of_kind(run.run_id, "score", after=after, limit=limit)
        hidden = {"id", "run", "kind", "ttl"}
        page: dict[str, Any] = {
            "evaluation_id": run.run_id,
            "scores": [
                finite({name: value for name, value in score.items() if name not in hidden and name[0] != "_"})
                for score in found
            ],
        }
        if len(found) == limit:
            page["after"] = found[-1]["id"]
        return page

    async def cancel(self, run_id: str, principal: Principal) -> EvaluationRun:
        """Cancels a run and its turns that are not over; a run that is over stays as it is."""
        run = await self.get(run_id, principal)
        fields = {"state": RunState.CANCELLED.value, "finished_at": self._clock.now()}
        if await self._store.move(run_id, RUN_ID, states=[RunState.COLLECTING, RunState.RUNNING], fields=fields):
            await self._cancel_turns(run)
        return await self.get(run_id, principal)

    async def _cancel_turns(self, run: EvaluationRun) -> None:
        slots = asyncio.Semaphore(CANCEL_AT_ONCE)

        async def cancel(item: RunItem) -> None:
            turn_id = turn_id_of(run, item.item_id)
            async with slots:
                await self._turns.cancel(turn_id, {"error": Cancelled(turn_id=turn_id).as_dict()})

        items = [item_of(document) for document in await self._store.of_kind(run.run_id, "item")]
        await asyncio.gather(*(cancel(item) for item in items if item.state != DONE and item.tries > 0))

    async def _add(self, run: EvaluationRun, request: EvaluationItemsIn) -> EvaluationRun:
        now = self._clock.now()
        items = [_run_item(run.run_id, entry, now) for entry in request.items]
        if len({item.item_id for item in items}) != len(items):
            raise InvalidRequest("items: two have the same id")
        await self._store.create_all(run.run_id, [item.to_document() for item in items])
        population = len(await self._store.of_kind(run.run_id, "item"))
        if population > MOST_ITEMS:
            raise InvalidRequest(f"items: a run has at most {MOST_ITEMS}")
        if request.complete and not run.suite and population == 0:
            raise InvalidRequest("items: a run needs at least one")
        fields = {"population": population, "complete": request.complete}
        await self._store.move(run.run_id, RUN_ID, states=[RunState.COLLECTING], fields=fields)
        if request.complete:
            await self._queue.send(EvaluationMessage(Work.PLAN, run.run_id, "", now))
        return dataclasses.replace(run, population=population, complete=request.complete)

    def _run(self, request: EvaluationRequest, principal: Principal, key: str | None) -> EvaluationRun:
        now = self._clock.now()
        body = request.model_dump_json()
        return EvaluationRun(
            run_id=uuid.uuid4().hex if key is None else _derived(principal.tenant, key),
            tenant=principal.tenant,
            name=request.name,
            created_at=now,
            deadline_at=now + RUN_SECONDS,
            evaluators=self._evaluators(request),
            suite=self._suite(request),
            dataset="" if request.suite else f"given items {hashlib.sha256(body.encode()).hexdigest()[:12]}",
            sample_size=request.sample_size,
            seed=request.seed,
            model=self._model(request),
            use_context=request.use_context,
            concurrency=request.concurrency,
            max_calls=request.max_judge_calls,
            max_calls_per_hour=request.max_judge_calls_per_hour,
            max_cost_usd=request.max_cost_usd,
            gates=tuple(gate.model_dump() for gate in request.gates),
            judge_bar=None if request.judge_bar is None else request.judge_bar.model_dump(),
            compare_judge=request.compare_judge or request.suite == "judgements",
            regression_level=request.regression_level,
            baseline_run=request.baseline_run,
            fingerprint=hashlib.sha256(body.encode()).hexdigest(),
        )

    def _evaluators(self, request: EvaluationRequest) -> tuple[str, ...]:
        if request.suite is not None:
            if request.evaluators is not None:
                raise InvalidRequest("evaluators: a suite brings its own, leave them out")
            return ()
        judge = self._settings.judge_model
        if request.evaluators is None:
            return tuple(name for name in GOLDEN if judge is not None or name not in JUDGED)
        if unknown := sorted(set(request.evaluators) - set(NAMES)):
            raise InvalidRequest(f"evaluators: {', '.join(unknown)} is none of {', '.join(NAMES)}")
        if judge is None and (judged := sorted(set(request.evaluators) & set(JUDGED))):
            raise InvalidRequest(f"evaluators: {', '.join(judged)} needs a judge; set SPILLWAY_JUDGE_MODEL")
        return tuple(dict.fromkeys(request.evaluators))

    def _suite(self, request: EvaluationRequest) -> str:
        if request.suite is not None and self._settings.datasets is None:
            raise InvalidRequest("suite: this installation has no public test sets; set SPILLWAY_DATASETS")
        if request.suite == "judgements" and self._settings.judge_model is None:
            raise InvalidRequest("suite: there is no judge to compare with people; set SPILLWAY_JUDGE_MODEL")
        return request.suite or ""

    def _model(self, request: EvaluationRequest) -> str | None:
        if request.model is not None and request.model not in self._capacity.models:
            raise InvalidRequest(f"model: choose one of {', '.join(self._capacity.models)}")
        return request.model

    async def _done(self, run: EvaluationRun) -> int:
        return await self._store.count(run.run_id, "item", DONE)


def _run_item(run_id: str, entry: EvaluationItemIn, now: float) -> RunItem:
    # A question that the chat would not take is refused here rather than failed there.
    try:
        ChatRequest(message=entry.question)
    except ValueError as error:
        raise InvalidRequest(f"items: {entry.id}: the question must not be blank") from error
    item = Item(
        entry.id,
        entry.question,
        reference=entry.reference,
        target=entry.target,
        context=tuple(entry.context),
        expected_sources=tuple(entry.sources),
        tags=tuple(entry.tags),
        metadata=entry.metadata,
    )
    return RunItem(
        run_id,
        entry.id,
        entry.question,
        dataclasses.asdict(item),
        _narrowed(entry),
        answer=entry.answer,
        touched_at=now,
    )


def _narrowed(entry: EvaluationItemIn) -> tuple[str, ...] | None:
    return None if entry.evaluators is None else tuple(entry.evaluators)


def _derived(tenant: str, key: str) -> str:
    return hashlib.sha256(f"{tenant}\0evaluation\0{key}".encode()).hexdigest()[:32]
