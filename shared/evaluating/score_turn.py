"""Scores one sampled turn of production, once, within the hourly cap."""

import dataclasses
from typing import Any

from shared.evaluating.answers import AnswerReader, with_passages
from shared.evaluating.evaluators import PRODUCTION
from shared.evaluating.events import emit
from shared.evaluating.messages import EvaluationMessage
from shared.evaluating.ports import Document, EvaluationQueue, EvaluationStore
from shared.evaluating.scoring import AnswerScorer, Grant, Outcome
from shared.evaluation.records import Answer, Item
from shared.ports import Clock, TurnStore
from shared.settings import Settings
from shared.telemetry import log
from shared.turns import Turn

WAITING, SCORED, CAPPED, GONE = "waiting", "scored", "capped", "gone"
MOST_JUDGE_TRIES = 6


class TurnScorer:
    """Works on sampled turns. Their questions and answers stay in their turns; only scores are kept."""

    def __init__(
        self,
        *,
        settings: Settings,
        store: EvaluationStore,
        queue: EvaluationQueue,
        turns: TurnStore,
        reader: AnswerReader,
        scorer: AnswerScorer,
        clock: Clock,
    ) -> None:
        """Takes what it works with."""
        self._settings, self._store, self._queue, self._turns = settings, store, queue, turns
        self._reader, self._scorer, self._clock = reader, scorer, clock

    async def work(self, message: EvaluationMessage) -> None:
        """Scores the turn of a message, unless that is done.

        Raises:
            Unavailable: The store or the queue does not answer.
        """
        sample = await self._sample(message)
        if sample is None or sample["state"] != WAITING:
            log.info("absorb_sample", turn_id=message.subject)
            return
        turn = await self._turns.get(message.subject)
        if turn is None:
            # Removed by its owner meanwhile, and then nothing may be kept of it.
            await self._move(message, {"state": GONE})
            return
        await self._score(message, sample, turn)

    async def _sample(self, message: EvaluationMessage) -> Document | None:
        """The sample's record: made with the first message of the turn, raised by the one for its feedback."""
        document_id, details = sample_document_id(message.subject), message.details
        record = {
            "id": document_id,
            "run": message.run,
            "kind": "sample",
            "state": WAITING,
            "turn_id": message.subject,
            "probability": details["probability"],
            "strata": details["strata"],
            "prompt_version": details["prompt_version"],
            "hour": details["hour"],
            "cached": details.get("cached"),
            "changed_at": self._clock.now(),
            "touched_at": 0.0,
            "tries": 0,
            "ttl": self._settings.turn_ttl_seconds,
        }
        if await self._store.create(record):
            if not await self._has_slot(message, details["hour"]):
                await self._move(message, {"state": CAPPED})
                return None
        elif await self._store.raise_probability(message.run, document_id, details["probability"], details["strata"]):
            await self._store.move(
                message.run, document_id, states=[WAITING, SCORED, CAPPED], fields={"changed_at": self._clock.now()}
            )
        return await self._store.touch(message.run, document_id, state=WAITING, now=self._clock.now())

    async def _has_slot(self, message: EvaluationMessage, hour: str) -> bool:
        """The last guard of the cap. The rates are lowered before it is met, because what it drops is missing."""
        most = self._settings.evaluations_per_hour
        return await self._store.take_slot(message.run, hour, most=most, ttl_seconds=self._settings.turn_ttl_seconds)

    async def _score(self, message: EvaluationMessage, sample: Document, turn: Turn) -> None:
        model = turn.model or self._settings.default_model
        answer, passages = await self._reader.read(turn, item_id=turn.turn_id, model=model, waits_count=True)
        answer = dataclasses.replace(answer, prompt_version=sample["prompt_version"])
        question = with_passages(
            Item(
                turn.turn_id,
                turn.question,
                tags=(*sample["strata"], *(["cached"] if sample.get("cached") else [])),
                weight=1 / sample["probability"],
                cluster=turn.session_id,
            ),
            turn,
            passages,
        )
        outcome = await self._scorer.score(
            question,
            answer,
            run_id=message.run,
            tenant=turn.tenant,
            evaluators=PRODUCTION,
            grant=Grant(),
            fields={
                "ttl": self._settings.turn_ttl_seconds,
                "hour": sample["hour"],
                "deployment": answer.model,
                "prompt_version": answer.prompt_version,
            },
            with_texts=self._settings.log_content,
        )
        if outcome.busy_seconds is not None and outcome.judge_errors and int(sample["tries"]) <= MOST_JUDGE_TRIES:
            await self._later(message, outcome.busy_seconds, int(sample["tries"]))
        else:
            await self._end(message, answer, outcome)

    async def _end(self, message: EvaluationMessage, answer: Answer, outcome: Outcome) -> None:
        now = self._clock.now()
        fields = {
            "state": SCORED,
            "changed_at": now,
            "scored_at": now,
            "deployment": answer.model,
            "cost_usd": outcome.cost_usd,
        }
        if not await self._move(message, fields):
            return
        for score in outcome.scores:
            emit(
                score,
                run=message.run,
                deployment=answer.model,
                prompt_version=answer.prompt_version,
                sampled=True,
                with_reason=self._settings.log_content,
            )

    async def _move(self, message: EvaluationMessage, fields: dict[str, Any]) -> bool:
        document_id = sample_document_id(message.subject)
        return await self._store.move(message.run, document_id, states=[WAITING], fields=fields)

    async def _later(self, message: EvaluationMessage, pause_seconds: float, tries: int) -> None:
        now = self._clock.now()
        copy = dataclasses.replace(message, sent_at=now, copy=f"{message.copy}t{tries}")
        await self._queue.send(copy, not_before=now + pause_seconds)


def sample_document_id(turn_id: str) -> str:
    """The id of a sample in the store."""
    return f"sample-{turn_id}"
