"""One attempt at a deployment, and a second one beside it when the first token is late and budget is to spare."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from shared.capacity.capacity import Capacity, Want
from shared.policies.classify import Outcome, Verdict, classify, named_limit
from shared.ports import ChatModel, Chunk, Clock, ModelRefusal, ModelRequest, ModelStream
from shared.settings import Deployment
from shared.telemetry import log
from shared.telemetry.attempt_watch import ABANDONED, AttemptWatch
from shared.telemetry.observer import Observer
from shared.turns import Turn

STALL_SECONDS = 0.02


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
    """A call under way. `began` is in monotonic seconds.

    Attributes:
        late: Its first token did not come by the deadline.
        entry: What the turn's record says of it, once something became of it.
    """

    deployment: Deployment
    request: ModelRequest
    watch: AttemptWatch
    began: float
    epoch: int
    hedge: bool
    entries: list[dict[str, Any]]
    late: bool = False
    entry: dict[str, Any] | None = None

    def note(self, outcome: str, seconds: float, **more: Any) -> None:
        """Says in the turn's record what became of the call."""
        if self.entry is None:
            self.entry = {"deployment": self.deployment.name, "region": self.deployment.region}
            self.entries.append(self.entry)
        marks = {"hedge": True} if self.hedge else {}
        self.entry.update({"outcome": outcome, "duration_ms": round(seconds * 1000, 1), **marks, **more})

    def leave(self, now: float) -> None:
        """This side gives the call up; means nothing for one that was refused."""
        if self.entry is None or self.entry["outcome"] == Outcome.SUCCESS.value:
            self.watch.leave()
            self.note(ABANDONED, now - self.began)


@dataclass(slots=True)
class _Race:
    """A call, and the one that is made beside it when its first token is late.

    Attributes:
        second: None until another deployment is asked.
    """

    first: _Call
    second: _Call | None = None


class Calls:
    """Calls deployments and tells the capacity what became of it."""

    def __init__(self, *, models: ChatModel, capacity: Capacity, clock: Clock, observer: Observer) -> None:
        """Takes what it works with."""
        self._models, self._capacity, self._clock, self._observer = models, capacity, clock, observer
        self._leaving: set[asyncio.Task[None]] = set()

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
        race = _Race(call)
        tasks = [
            asyncio.create_task(self._open(call)),
            asyncio.create_task(self._open_second(race, turn, want, deadline)),
        ]
        try:
            answering = await _winner(tasks, race)
        except BaseException as fault:
            await _leave(tasks, raised=fault)
            raise
        self._end(race, tasks, answering)
        return answering

    async def _open_second(self, race: _Race, turn: Turn, want: Want, deadline: float) -> Answering:
        """Asks another deployment when the first token is late, and as soon as one has budget to spare."""
        first = race.first
        await self._wait(deadline)
        first.late = True
        self._capacity.late(first.deployment.name)
        while (other := await self._capacity.acquire_spare(want, beside=first.deployment.name)) is None:
            await self._wait(deadline)
        race.second = self._begin(turn, first.request, other, first.entries, hedge=True)
        return await self._open(race.second)

    async def _wait(self, seconds: float) -> None:
        """Sleeps; a process that was too busy to wake in time gives what lies unread in its sockets time as well."""
        began = self._clock.monotonic()
        await self._clock.sleep(seconds)
        overslept = self._clock.monotonic() - began - seconds
        if overslept > STALL_SECONDS:
            await self._clock.sleep(min(overslept, seconds))

    def _end(self, race: _Race, tasks: "list[asyncio.Task[Answering]]", answering: Answering) -> None:
        """The race is won; the caller waits for the quicker answer and not for the end of the slower."""
        if race.second is None:
            tasks[1].cancel()
            return
        for loser in (call for call in (race.first, race.second) if call.watch is not answering.watch):
            loser.leave(self._clock.monotonic())
        leaving = asyncio.create_task(_leave([task for task in tasks if not _gave(task, answering)]))
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)

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
            call.watch.open()
            self._capacity.limit_named(call.deployment.name, named_limit(stream.headers))
            return await self._begin_answer(call, stream)
        except ModelRefusal as refusal:
            verdict = self._learn(call.deployment, refusal, call.epoch)
            call.watch.refuse(refusal, verdict)
            seconds = self._clock.monotonic() - call.began
            call.note(verdict.outcome.value, seconds, cause=verdict.cause.value, status=refusal.status)
            raise Refused(verdict, refusal) from refusal
        except BaseException:
            call.leave(self._clock.monotonic())
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
        self._capacity.answered(call.deployment.name, seconds, late=call.late)
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


async def _winner(tasks: "list[asyncio.Task[Answering]]", race: _Race) -> Answering:
    """The first to answer.

    When the first call is refused before another deployment is asked, its refusal is raised at once. Of two refusals
    one that would meet the next deployment too is raised, else the later call's. A fault nobody expected ends the race.
    """
    pending, refusals = set(tasks), list[Refused]()
    while pending:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for task in (task for task in tasks if task in done):
            fault = task.exception()
            if isinstance(fault, Refused):
                refusals.append(fault)
            else:
                return task.result()
        if refusals and race.second is None:
            break
    raise next((refused for refused in refusals if not refused.verdict.retryable), refusals[-1])


def _gave(task: "asyncio.Task[Answering]", answering: Answering) -> bool:
    return task.done() and task.exception() is None and task.result() is answering


async def _leave(tasks: "list[asyncio.Task[Answering]]", *, raised: BaseException | None = None) -> None:
    """Ends the calls that are not needed: one under way stops, the stream of one that answered as well is closed."""
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, Answering):
            result.watch.leave()
            await result.stream.close()
        elif isinstance(result, Exception) and result is not raised and not isinstance(result, Refused):
            log.failure("background_work", result)
