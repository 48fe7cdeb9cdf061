"""One run of one turn: context, prompt, attempts, the stream, and its end in the store."""

import asyncio
import dataclasses
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from shared import stages
from shared.attempt_stages import mark_attempt, pauses
from shared.attempts import Attempts, NoneLeft
from shared.caching.flights import Flight
from shared.caching.lookup import Lookup, Match
from shared.caching.ports import CachedAnswer
from shared.calls import Answering
from shared.capacity import Want
from shared.context import Context, ContextGatherer
from shared.errors import ContentFiltered, SpillwayError, Unavailable
from shared.events import News
from shared.join_timelines import told
from shared.ports import Chunk, Clock, ModelRefusal, SessionStore, TokenCounter, TurnStore
from shared.prompt import assemble, cited, default_instructions, prompt_tokens
from shared.settings import Settings
from shared.telemetry import log
from shared.telemetry.facts import TurnEnded
from shared.telemetry.observer import SILENT, Observer
from shared.timeline import Timeline
from shared.turns import State, Turn, Usage

T = TypeVar("T")
Look = Callable[[Turn], Lookup | None]
"""Begins to look for a turn's answer in the cache; None when that is not wanted."""
Publish = Callable[[News], None]
"""Takes news for whoever follows a turn; returns at once."""
OnEnd = Callable[[Turn, State, Mapping[str, Any]], None]
FIRST_CONTEXT_TOKENS, CONTEXT_SMOOTHING = 500.0, 0.1
STORE_RETRY_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0)


@dataclass(frozen=True, slots=True)
class Ended:
    """The run ended in a terminal state. `lost` means that another run took over and this one left no trace."""

    state: State
    error: SpillwayError | None = None
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Deferred:
    """The run has to be continued later: no capacity, or a fault with other tries left.

    Attributes:
        wait_seconds: Until a deployment is expected to have budget; infinity when unknown.
        faulted: It was a fault that ended the run.
        attempts: What was tried.
        want: What no deployment had; None after a fault.
    """

    wait_seconds: float
    faulted: bool
    attempts: list[dict[str, Any]]
    want: Want | None = None


@dataclass(slots=True)
class _Run:
    """A run under way: its turn, who is told of it, and what grows while it streams.

    Attributes:
        stored: Done when the turn is in the store; text is held back until then. None when it is there already.
        lookup: Its look into the cache; None without one.
        flight: Others follow this run's text.
        told: The conversation may have been told how this run ended.
    """

    turn: Turn
    publish: Publish
    timeline: Timeline
    stored: asyncio.Future[Any] | None
    lookup: Lookup | None = None
    flight: Flight | None = None
    parts: list[str] = field(default_factory=list)
    length: int = 0
    finish_reason: str | None = None
    usage: Usage | None = None
    ending: bool = False
    told: bool = False

    def add(self, text: str) -> None:
        self.parts.append(text)
        self.length += len(text)
        if self.flight is not None:
            self.flight.tell()

    @property
    def text(self) -> str:
        return "".join(self.parts)


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where an answer comes from: a deployment, or the cache.

    Attributes:
        attempts: Calls that were made for it.
        cached: As in `Turn`.
    """

    citations: list[dict[str, Any]]
    model: str | None
    deployment: str | None = None
    attempts: list[dict[str, Any]] = field(default_factory=list)
    between_tokens_seconds: float | None = None
    cached: dict[str, Any] | None = None


class TurnRunner:
    """Runs turns that were taken into `running`; the same code for the direct and the queued path."""

    def __init__(
        self,
        *,
        settings: Settings,
        store: TurnStore,
        sessions: SessionStore,
        context: ContextGatherer,
        attempts: Attempts,
        counter: TokenCounter,
        clock: Clock,
        observer: Observer = SILENT,
        ended: OnEnd = lambda _turn, _state, _fields: None,
        look: Look = lambda _turn: None,
    ) -> None:
        """Takes what it works with; `ended` is called with every turn that is over and returns at once."""
        self._look = look
        self._settings, self._store, self._sessions = settings, store, sessions
        self._context, self._attempts, self._counter, self._clock = context, attempts, counter, clock
        self._observer, self._ended = observer, ended
        self._stable: int | None = None
        self.context_tokens = FIRST_CONTEXT_TOKENS
        """What instructions, passages and history add to a prompt, as of late."""

    async def run(
        self,
        turn: Turn,
        publish: Publish,
        timeline: Timeline,
        *,
        stored: asyncio.Future[Any] | None = None,
        lookup: Lookup | None = None,
    ) -> Ended | Deferred:
        """Answers a turn that this instance holds.

        Args:
            turn: The turn in state running.
            publish: Who is told.
            timeline: Continues here.
            stored: Done when the turn is in the store; nothing is published before. None when it is there already.
            lookup: A look into the cache that has begun already; closed here.
        """
        current = _Run(turn, publish, timeline, stored, lookup or self._look(turn))
        work = asyncio.create_task(self._answer(current))
        heartbeat = asyncio.create_task(self._keep_lease(current))
        try:
            await asyncio.wait({work, heartbeat}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                return _outcome(work, turn)
            heartbeat.result()
            log.warning("lose_run", turn_id=turn.turn_id, run=turn.run)
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            if current.told:
                await self._take_back(turn)
            return Ended(State.RUNNING, lost=True)
        finally:
            for task in (work, heartbeat):
                task.cancel()
            await asyncio.gather(work, heartbeat, return_exceptions=True)
            if current.lookup is not None:
                current.lookup.close()

    async def _answer(self, run: _Run) -> Ended | Deferred:
        try:
            run.timeline.mark(stages.DISPATCH)
            context = await self._context_of(run)
            if not isinstance(context, Context):
                return context
            run.timeline.notes.update(context.notes)
            run.timeline.mark(stages.CONTEXT)
            answering = await self._first_token(run, context)
        except NoneLeft as none_left:
            want = None if none_left.faulted else none_left.want
            return Deferred(none_left.wait_seconds, none_left.faulted, none_left.attempts, want)
        except SpillwayError as error:
            run.timeline.mark(stages.RETRY)
            return await self._fail(run, error)
        try:
            mark_attempt(run.timeline, answering)
            await self._await_record(run)
            await self._stream(run, answering)
        except ModelRefusal as refusal:
            answering.watch.refuse(refusal, self._attempts.learn(answering, refusal))
            log.warning("break_stream", turn_id=run.turn.turn_id, deployment=answering.deployment.name)
            return Deferred(0.0, faulted=True, attempts=answering.attempts)
        finally:
            answering.watch.leave()
            await answering.stream.close()
        run.timeline.mark(stages.STREAM)
        run.timeline.notes["tokens"] = pauses(answering.watch)
        if run.finish_reason == "content_filter":
            return await self._fail(run, ContentFiltered())
        origin = _Origin(
            cited(run.text, context.passages),
            answering.deployment.model,
            answering.deployment.name,
            answering.attempts,
            answering.watch.between_tokens_seconds,
        )
        if run.lookup is not None:
            # Facts are of whom the turn is for; what is made from them is kept for nobody.
            whole = "dropped" not in context.notes and not context.facts
            run.lookup.answered(
                run.text,
                finish_reason=run.finish_reason or "",
                citations=origin.citations,
                model=origin.model,
                whole=whole,
            )
        return await self._succeed(run, origin)

    async def _context_of(self, run: _Run) -> Context | Ended | Deferred:
        """What the answer is to be made from; or the end of the run, when the cache had the answer."""
        lookup = run.lookup
        if lookup is None:
            return await self._context.gather(run.turn)
        gathering = asyncio.create_task(self._context.gather(run.turn, lookup.sources))
        try:
            match = await lookup.match()
            if match is None:
                run.flight = lookup.streams(run.parts)
                return await gathering
        finally:
            gathering.cancel()
            await asyncio.gather(gathering, return_exceptions=True)
        ended = await self._serve(run, match)
        # Whom it followed gave no answer, so it makes its own.
        return ended or await self._context.gather(run.turn, lookup.sources)

    async def _serve(self, run: _Run, match: Match) -> Ended | Deferred | None:
        """Gives an answer that was given before, or that another turn is being given; None when none came of that."""
        if run.lookup is not None:
            run.flight = run.lookup.streams(run.parts)
        async for text in match.texts():
            if run.length == 0:
                run.timeline.mark(stages.CACHE)
                await self._await_record(run)
            run.publish(News(run.turn.turn_id, run.turn.run, run.length, text))
            run.add(text)
        answer = match.answer
        if answer is None:
            run.timeline.mark(stages.CACHE)
            # What was told already is of another answer, so the own one needs another run.
            return None if run.length == 0 else Deferred(0.0, faulted=False, attempts=[])
        run.timeline.mark(stages.STREAM)
        return await self._succeed_cached(run, match, answer)

    async def _succeed_cached(self, run: _Run, match: Match, answer: CachedAnswer) -> Ended:
        if run.lookup is not None:
            run.lookup.ended(answer)
        run.finish_reason, run.usage = answer.finish_reason, Usage()
        cached = match.told(answer, self._clock.now())
        return await self._succeed(run, _Origin(list(answer.citations), answer.model, cached=cached))

    async def _await_record(self, run: _Run) -> None:
        if run.stored is not None:
            await run.stored
            run.timeline.mark(stages.STORE_ACCEPT)

    async def _first_token(self, run: _Run, context: Context) -> Answering:
        turn = run.turn
        instructions = self._settings.system_prompt or default_instructions()
        messages = assemble(
            turn,
            instructions=instructions,
            passages=context.passages,
            history=context.history,
            facts=context.facts,
        )
        tokens = prompt_tokens(messages, self._counter)
        if turn.use_context:
            added = tokens - prompt_tokens(turn.messages, self._counter)
            self.context_tokens += CONTEXT_SMOOTHING * (added - self.context_tokens)
        stable = self._stable_tokens(instructions) if turn.use_context else 0
        run.timeline.notes["prompt"] = {"tokens": tokens, "stable_tokens": stable}
        run.timeline.mark(stages.PROMPT)
        return await self._attempts.first_token(
            turn,
            messages,
            model=turn.model or self._settings.default_model,
            prompt_tokens=tokens,
            max_output_tokens=turn.max_output_tokens or self._settings.max_output_tokens,
        )

    def _stable_tokens(self, instructions: str) -> int:
        """Tokens at the beginning of every prompt; the instructions never change while the process lives."""
        if self._stable is None:
            self._stable = self._counter.count(instructions)
        return self._stable

    async def _stream(self, run: _Run, answering: Answering) -> None:
        chunk: Chunk | None = answering.first
        while chunk is not None:
            if chunk.text:
                run.publish(News(run.turn.turn_id, run.turn.run, run.length, chunk.text))
                run.add(chunk.text)
            run.finish_reason = chunk.finish_reason or run.finish_reason
            run.usage = chunk.usage or run.usage
            chunk = await anext(answering.chunks, None)
            if chunk is not None and chunk.text:
                answering.watch.piece(chunk.pieces)
        if run.finish_reason is None:
            raise ModelRefusal(0, None, "the stream ended without a finish reason", {})
        answering.watch.end(run.finish_reason, run.usage, answering.stream.headers)

    async def _succeed(self, run: _Run, origin: _Origin) -> Ended:
        turn, answer = run.turn, run.text
        details: dict[str, Any] = {
            "finish_reason": run.finish_reason,
            "usage": None if run.usage is None else run.usage.as_dict(),
            "citations": origin.citations,
            "deployment": origin.deployment,
        }
        if origin.cached is not None:
            details["cached"] = origin.cached
        answered = dataclasses.replace(
            turn, answer=answer, state=State.SUCCEEDED, citations=tuple(details["citations"])
        )
        # The conversation first: a crash in between repeats the turn, the other order would forget it.
        run.told = True
        await self._patiently(turn, lambda: self._sessions.append(answered))
        run.timeline.mark(stages.STORE)
        run.ending = True
        attempts = [*turn.attempts, *origin.attempts]
        fields = {**details, "answer": answer, "attempts": attempts, "timeline": told(run.timeline, self._clock)}
        if not await self._finish(turn, State.SUCCEEDED, fields):
            await self._take_back(turn)
            return Ended(State.SUCCEEDED, lost=True)
        # The stored timeline ends where its own write began; the one that is told has that write in it.
        run.timeline.mark(stages.STORE)
        timeline = told(run.timeline, self._clock)
        news = {**details, "model": origin.model, "timeline": timeline}
        run.publish(News(turn.turn_id, turn.run, run.length, "", State.SUCCEEDED.value, news))
        self._observer.tell(self._success(run, origin, timeline))
        return Ended(State.SUCCEEDED)

    def _success(self, run: _Run, origin: _Origin, timeline: dict[str, Any]) -> TurnEnded:
        return TurnEnded.of(
            run.turn,
            State.SUCCEEDED,
            self._clock.now(),
            attempts=len(run.turn.attempts) + len(origin.attempts),
            model=origin.model,
            deployment=origin.deployment,
            finish_reason=run.finish_reason,
            usage=run.usage,
            timeline=timeline,
            between_tokens_seconds=origin.between_tokens_seconds,
            cached=None if origin.cached is None else origin.cached["kind"],
        )

    async def _fail(self, run: _Run, error: SpillwayError) -> Ended:
        if run.stored is not None:
            await run.stored
        run.ending = run.told = True
        return await self.fail(run.turn, error, run.publish, run.timeline.as_dict())

    async def fail(
        self, turn: Turn, error: SpillwayError, publish: Publish, timeline: dict[str, Any] | None = None
    ) -> Ended:
        """Ends a held turn as failed, tells its followers and leaves the reason in the record."""
        error.turn_id = turn.turn_id
        fields = {"error": error.as_dict(), "timeline": timeline, "attempts": list(turn.attempts)}
        await self._patiently(
            turn, lambda: self._sessions.append(dataclasses.replace(turn, state=State.FAILED, answer=""))
        )
        finished = await self._finish(turn, State.FAILED, fields)
        if not finished:
            await self._take_back(turn)
        log.warning("fail_turn", turn_id=turn.turn_id, code=error.code, run=turn.run)
        if finished:
            publish(News(turn.turn_id, turn.run, 0, "", State.FAILED.value, {"error": error.as_dict()}))
            now = self._clock.now()
            self._observer.tell(TurnEnded.of(turn, State.FAILED, now, code=error.code, timeline=timeline))
        return Ended(State.FAILED, error, lost=not finished)

    async def _take_back(self, turn: Turn) -> None:
        """The turn ended otherwise, so what this run wrote into the conversation gives way to how it ended.

        It was cancelled, or another run answered it. One that is not over will be written by the run that holds it.
        """
        kept = await self._patiently(turn, lambda: self._store.get(turn.turn_id))
        if kept is not None and kept.state.terminal:
            await self._patiently(turn, lambda: self._sessions.append(kept, final=True))

    async def _finish(self, turn: Turn, state: State, fields: dict[str, Any]) -> bool:
        finished = await self._patiently(
            turn, lambda: self._store.finish(turn.turn_id, run=turn.run, state=state, fields=fields)
        )
        if finished:
            self._ended(turn, state, fields)
        return finished

    async def _keep_lease(self, run: _Run) -> None:
        """Returns when the run is no longer the valid one; until then saves the text and renews the lease."""
        if run.stored is not None:
            await asyncio.wait({run.stored})
        while True:
            await self._clock.sleep(self._settings.checkpoint_seconds)
            lease_until = self._clock.now() + self._settings.lease_seconds
            try:
                valid = await self._store.checkpoint(
                    run.turn.turn_id, run=run.turn.run, answer=run.text, lease_until=lease_until
                )
            except Unavailable:
                log.warning("miss_checkpoint", turn_id=run.turn.turn_id)
                continue
            # A run that is ending made itself invalid; its own write is on the way.
            if not valid and not run.ending:
                return

    async def _patiently(self, turn: Turn, write: Callable[[], Awaitable[T]]) -> T:
        """A write that must not be lost: repeated while the store is away, until the turn's deadline."""
        tries = 0
        while True:
            try:
                return await write()
            except Unavailable:
                if self._clock.now() > turn.deadline_at:
                    raise
                log.warning("await_store", turn_id=turn.turn_id, tries=tries)
                await self._clock.sleep(STORE_RETRY_SECONDS[min(tries, len(STORE_RETRY_SECONDS) - 1)])
                tries += 1


def _outcome(work: "asyncio.Task[Ended | Deferred]", turn: Turn) -> Ended | Deferred:
    """The result of a run; a fault nobody expected counts as one of the turn's tries."""
    fault = work.exception()
    if fault is None:
        return work.result()
    if isinstance(fault, SpillwayError) or not isinstance(fault, Exception):
        raise fault
    log.failure("break_run", fault, turn_id=turn.turn_id, run=turn.run)
    return Deferred(math.inf, faulted=True, attempts=[])
