"""One run of one turn: context, prompt, attempts, the stream, and its end in the store."""

import asyncio
import math
from collections.abc import Callable
from typing import Any

from shared.answering.end_turn import TurnEnding
from shared.answering.runs import Deferred, Ended, Origin, Publish, Run
from shared.caching.lookup import Lookup, Match
from shared.caching.ports import CachedAnswer
from shared.capacity.attempt_stages import mark_attempt, pauses
from shared.capacity.attempts import Attempts, NoneLeft
from shared.capacity.calls import Answering
from shared.context.gathering import Context, ContextGatherer
from shared.context.prompt import assemble, cited, default_instructions, prompt_tokens
from shared.errors import ContentFiltered, SpillwayError, Unavailable
from shared.events import News
from shared.ports import Chunk, Clock, ModelRefusal, TokenCounter, TurnStore
from shared.settings import Settings
from shared.telemetry import log
from shared.timelines import stages
from shared.timelines.timeline import Timeline
from shared.turns import State, Turn, Usage

Look = Callable[[Turn], Lookup | None]
"""Begins to look for a turn's answer in the cache; None when that is not wanted."""
FIRST_CONTEXT_TOKENS, CONTEXT_SMOOTHING = 500.0, 0.1


class TurnRunner:
    """Runs turns that were taken into `running`; the same code for the direct and the queued path."""

    def __init__(
        self,
        *,
        settings: Settings,
        store: TurnStore,
        ending: TurnEnding,
        context: ContextGatherer,
        attempts: Attempts,
        counter: TokenCounter,
        clock: Clock,
        look: Look = lambda _turn: None,
    ) -> None:
        """Takes what it works with."""
        self._look = look
        self._settings, self._store, self._ending = settings, store, ending
        self._context, self._attempts, self._counter, self._clock = context, attempts, counter, clock
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
        current = Run(turn, publish, timeline, stored, lookup or self._look(turn))
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
                await self._ending.take_back(turn)
            return Ended(State.RUNNING, lost=True)
        finally:
            for task in (work, heartbeat):
                task.cancel()
            await asyncio.gather(work, heartbeat, return_exceptions=True)
            if current.lookup is not None:
                current.lookup.close()

    async def _answer(self, run: Run) -> Ended | Deferred:
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
        origin = Origin(
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
        return await self._ending.succeed(run, origin)

    async def _context_of(self, run: Run) -> Context | Ended | Deferred:
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

    async def _serve(self, run: Run, match: Match) -> Ended | Deferred | None:
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

    async def _succeed_cached(self, run: Run, match: Match, answer: CachedAnswer) -> Ended:
        if run.lookup is not None:
            run.lookup.ended(answer)
        run.finish_reason, run.usage = answer.finish_reason, Usage()
        cached = match.told(answer, self._clock.now())
        return await self._ending.succeed(run, Origin(list(answer.citations), answer.model, cached=cached))

    async def _await_record(self, run: Run) -> None:
        if run.stored is not None:
            await run.stored
            run.timeline.mark(stages.STORE_ACCEPT)

    async def _first_token(self, run: Run, context: Context) -> Answering:
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

    async def _stream(self, run: Run, answering: Answering) -> None:
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

    async def _fail(self, run: Run, error: SpillwayError) -> Ended:
        if run.stored is not None:
            await run.stored
        run.ending = run.told = True
        return await self._ending.fail(run.turn, error, run.publish, run.timeline.as_dict())

    async def _keep_lease(self, run: Run) -> None:
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


def _outcome(work: "asyncio.Task[Ended | Deferred]", turn: Turn) -> Ended | Deferred:
    """The result of a run; a fault nobody expected counts as one of the turn's tries."""
    fault = work.exception()
    if fault is None:
        return work.result()
    if isinstance(fault, SpillwayError) or not isinstance(fault, Exception):
        raise fault
    log.failure("break_run", fault, turn_id=turn.turn_id, run=turn.run)
    return Deferred(math.inf, faulted=True, attempts=[])
