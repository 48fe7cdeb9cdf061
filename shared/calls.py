"""One attempt at a deployment, and a second one beside it when the first token is late and budget is to spare."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from shared.capacity import Capacity, Want
from shared.policies.classify import Outcome, Verdict, classify, named_limit
from shared.ports import ChatModel, Chunk, Clock, ModelRefusal, ModelRequest, ModelStream
from shared.settings import Deployment
from shared.telemetry.attempt_watch import ABANDONED, AttemptWatch
from shared.telemetry.observer import Observer
from shared.turns import Turn


@dataclass(slots=True)
class Refused(Exception):
    """A deployment refused the call, and what that means."""

    verdict: Verdict
    refusal: ModelRefusal


@dataclass(slots=True)
class Answering:
    """A deployment that has begun to answer.

    Attributes:
        epoch: The deployment's, when the call was made.
        attempts: One entry a call of this run, this one included.
    """

    deployment: Deployment
    stream: ModelStream
    chunks: AsyncIterator[Chunk]
    first: Chunk
    watch: AttemptWatch
    epoch: int
    attempts: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class _Call:
    """A call under way. `began` is in monotonic seconds."""

    deployment: Deployment
    request: ModelRequest
    watch: AttemptWatch
    began: float
    epoch: int
    hedge: bool
    entries: list[dict[str, Any]]

    def note(self, outcome: str, seconds: float, **more: Any) -> None:
        """Adds to the turn's record what became of the call."""
        entry = {
            "deployment": self.deployment.name,
            "region": self.deployment.region,
            "outcome": outcome,
            "duration_ms": round(seconds * 1000, 1),
        }
        self.entries.append(entry | ({"hedge": True} if self.hedge else {}) | more)


class Calls:
    """Calls deployments and tells the capacity what became of it."""

    def __init__(self, *, models: ChatModel, capacity: Capacity, clock: Clock, observer: Observer) -> None:
        """Takes what it works with."""
        self._models, self._capacity, self._clock, self._observer = models, capacity, clock, observer

    async def first_token(
        self, turn: Turn, request: ModelRequest, want: Want, name: str, entries: list[dict[str, Any]]
    ) -> Answering:
        """Calls a deployment for which budget was acquired, and waits for the first piece of text.

        Args:
            turn: The turn.
            request: What is asked.
            want: What was acquired.
            name: The deployment.
            entries: What became of each call is added here.

        Raises:
            Refused: The deployment, or both, refused.
        """
        call = self._begin(turn, request, name, entries)
        deadline = self._capacity.first_token_deadline_seconds(want, name)
        if deadline is None:
            return await self._open(call)
        first = asyncio.create_task(self._open(call))
        timer = asyncio.create_task(self._clock.sleep(deadline))
        racers = [first]
        try:
            await asyncio.wait({first, timer}, return_when=asyncio.FIRST_COMPLETED)
            other = None if first.done() else await self._capacity.acquire_spare(want, beside=name)
            if other is not None and not first.done():
                hedge = self._begin(turn, request, other, entries, hedge=True)
                racers.append(asyncio.create_task(self._open(hedge)))
            return await _winner(racers)
        finally:
            timer.cancel()
            await _leave(racers)

    def learn(self, answering: Answering, refusal: ModelRefusal) -> Verdict:
        """Classifies why an answer broke off after its first token, and tells the capacity."""
        return self._learn(answering.deployment, refusal, answering.epoch)

    def _begin(
        self, turn: Turn, request: ModelRequest, name: str, entries: list[dict[str, Any]], *, hedge: bool = False
    ) -> _Call:
        deployment = self._capacity.deployment(name)
        watch = AttemptWatch(self._observer, self._clock, turn, deployment, request.max_output_tokens)
        epoch = self._capacity.epoch(name)
        return _Call(deployment, request, watch, self._clock.monotonic(), epoch, hedge, entries)

    async def _open(self, call: _Call) -> Answering:
        try:
            stream = await self._models.open(call.deployment, call.request)
            return await self._begin_answer(call, stream)
        except ModelRefusal as refusal:
            verdict = self._learn(call.deployment, refusal, call.epoch)
            call.watch.refuse(refusal, verdict)
            seconds = self._clock.monotonic() - call.began
            call.note(verdict.outcome.value, seconds, cause=verdict.cause.value, status=refusal.status)
            raise Refused(verdict, refusal) from refusal
        except BaseException:
            call.watch.leave()
            call.note(ABANDONED, self._clock.monotonic() - call.began)
            raise

    async def _begin_answer(self, call: _Call, stream: ModelStream) -> Answering:
        chunks = aiter(stream)
        try:
            first = await anext(chunks, Chunk(finish_reason="stop"))
            while not first.text and first.finish_reason is None:
                first = await anext(chunks, Chunk(finish_reason="stop"))
        except BaseException:
            await stream.close()
            raise
        if first.text:
            call.watch.piece(first.pieces)
        seconds = self._clock.monotonic() - call.began
        self._capacity.answered(call.deployment.name, seconds, tokens_per_minute=named_limit(stream.headers))
        call.note(Outcome.SUCCESS.value, seconds)
        return Answering(call.deployment, stream, chunks, first, call.watch, call.epoch, call.entries)

    def _learn(self, deployment: Deployment, refusal: ModelRefusal, epoch: int) -> Verdict:
        verdict = classify(
            status=refusal.status,
            code=refusal.code,
            message=refusal.message,
            headers=refusal.headers,
            configured_tokens_per_minute=deployment.tokens_per_minute,
        )
        self._capacity.refused(deployment.name, verdict, epoch=epoch)
        return verdict


async def _winner(racers: list["asyncio.Task[Answering]"]) -> Answering:
    """The first to answer; when all refuse, the last refusal is raised."""
    pending = set(racers)
    while True:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for racer in racers:
            if racer in done and racer.exception() is None:
                racers.remove(racer)
                return racer.result()
        if not pending:
            return racers[-1].result()


async def _leave(racers: list["asyncio.Task[Answering]"]) -> None:
    """Ends the calls that are not needed: one under way stops, one that answered as well is closed."""
    for racer in racers:
        racer.cancel()
    for result in await asyncio.gather(*racers, return_exceptions=True):
        if isinstance(result, Answering):
            result.watch.leave()
            await result.stream.close()
